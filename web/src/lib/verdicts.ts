/** What the rules said about a call, in words: verdicts, layers, who decides. Codes of reasons are in `reasons.ts`. Pure. */
import type { Schemas } from "@/api/client";

import { panelWords } from "./approvals";
import { names, plural } from "./format";
import type { Meaning } from "./states";
import { duration } from "./time";

export type Verdict = Schemas["Judgement"]["verdict"];
export type Layer = Schemas["Layer"];
export type Ask = Schemas["Ask"];
export type Panel = Schemas["Panel"];

/** In the order in which they are told; the last is the ceiling of all others. */
export const LAYERS: readonly Layer[] = ["agent", "role", "assignment", "user", "team", "account"];

export const LAYER_WORDS: Record<Layer, string> = {
  agent: "The agent itself",
  role: "Its role",
  assignment: "Where it is assigned",
  user: "The person's own policies",
  team: "The team's policies",
  account: "The account's policies",
};

const VERDICTS: Record<Verdict, { meaning: Meaning; label: string }> = {
  allow: { meaning: "well", label: "Allowed" },
  ask: { meaning: "aware", label: "Asks first" },
  deny: { meaning: "attention", label: "Not allowed" },
};

export function ofVerdict(verdict: Verdict): { meaning: Meaning; label: string } {
  return VERDICTS[verdict];
}

/** What one rule of one layer says; some come with the policy's id, some with who is asked. */
export interface Said {
  layer: Layer;
  rule: string;
  verdict: Verdict;
  reason: string | null;
  detail: string;
}

/** The opinions that say something: that the agent's own settings have nothing against it is no news. */
export function telling<T extends Said>(opinions: readonly T[]): T[] {
  return opinions.filter((one) => one.verdict !== "allow" || one.reason !== null || one.detail !== "");
}

/** Every layer in order, each with what its rules say. */
export function byLayer<T extends Said>(opinions: readonly T[]): { layer: Layer; said: T[] }[] {
  const kept = telling(opinions);
  return LAYERS.map((layer) => ({ layer, said: kept.filter((one) => one.layer === layer) }));
}

/** The first opinion as strict as the whole; null where nothing is against it. */
export function deciding<T extends Said>(verdict: Verdict, opinions: readonly T[]): T | null {
  return verdict === "allow" ? null : (opinions.find((one) => one.verdict === verdict) ?? null);
}

const FOUND: Record<string, string> = {
  text: "a text that is ruled out",
  topic: "a topic that is ruled out",
  url_credentials: "passwords in addresses",
  email: "e-mail addresses",
  iban: "bank accounts",
  card: "card numbers",
  phone: "phone numbers",
  ip_address: "IP addresses",
};

/** What is taken out of a call's arguments: "e-mail addresses and card numbers". */
export function foundWords(kinds: readonly string[]): string {
  return names(kinds.map((kind) => FOUND[kind] ?? kind.replaceAll("_", " ")), kinds.length);
}

type Name = (id: string) => string | undefined;

/** Whoever an agent works for then: rules know no names of them. */
const ANYONE = { user_id: "?", user_name: "the person it works for" };

/** Who decides: "an admin", "two admins other than the person it works for". */
export function deciders(panel: Panel, name: Name): string {
  return panelWords(panel, { me: null, name }, ANYONE);
}

/** "An admin decides within 1 day, else it is rejected." */
export function askWords(ask: Pick<Ask, "panels" | "expires_seconds" | "on_expiry">, name: Name): string {
  const who = ask.panels.map((panel) => deciders(panel, name)).join(", and ");
  const verb = ask.panels.length === 1 && ask.panels[0]?.quorum === 1 ? "decides" : "decide";
  const then = ask.on_expiry === "approve" ? "else it goes ahead" : "else it is rejected";
  return `${who.charAt(0).toUpperCase()}${who.slice(1)} ${verb} within ${spanWords(ask.expires_seconds)}, ${then}.`;
}

const HOUR = 3600;
const DAY = 24 * HOUR;

/** "2 days", "1 hour", "90 s": whole units where they fit. */
export function spanWords(seconds: number): string {
  if (seconds % DAY === 0) return plural(seconds / DAY, "day");
  if (seconds % HOUR === 0) return plural(seconds / HOUR, "hour");
  if (seconds % 60 === 0) return plural(seconds / 60, "minute");
  return duration(seconds * 1000);
}
