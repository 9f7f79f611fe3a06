/** API keys in words: scopes, ends, and how to use a new one. */
import type { ApiKey, Scope } from "@/api/keysAdmin";

export const SCOPES: Record<Scope, { label: string; help: string }> = {
  read: { label: "Read", help: "See what its owner sees." },
  write: { label: "Write", help: "Post messages, start and stop turns." },
  admin: { label: "Admin", help: "Change settings, people, agents and keys, as far as its owner may." },
  approve: { label: "Approve", help: "Decide about calls that wait for its owner's approval." },
};

export type Life = "30" | "90" | "365" | "never";

export const LIVES: readonly { value: Life; label: string }[] = [
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "365", label: "A year" },
  { value: "never", label: "No end" },
];

const DAY = 86_400_000;

/** When a key made now ends; null for never. */
export function endOf(life: Life, now = Date.now()): string | null {
  return life === "never" ? null : new Date(now + Number(life) * DAY).toISOString();
}

export type KeyState = "active" | "expired" | "revoked";

export function stateOfKey(key: Pick<ApiKey, "revoked_at" | "expires_at">, now: number): KeyState {
  if (key.revoked_at) return "revoked";
  return key.expires_at && Date.parse(key.expires_at) <= now ? "expired" : "active";
}

/** Those that work first, the newest first among them. */
export function sortKeys(keys: readonly ApiKey[], now: number): ApiKey[] {
  const works = (key: ApiKey) => (stateOfKey(key, now) === "active" ? 0 : 1);
  return [...keys].sort((a, b) => works(a) - works(b) || b.created_at.localeCompare(a.created_at));
}

/** A command that proves the key works. */
export function curlExample(origin: string, secret: string): string {
  return `curl ${origin}/v1/me \\\n  -H "Authorization: Bearer ${secret}"`;
}
