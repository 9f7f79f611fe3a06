/**
 * Drafts: what was written and not sent, kept in this browser per person, channel and thread.
 *
 * The store may be absent, full or hold anything; a draft is then simply not there.
 */

/** A file that is uploaded and waits to be sent. */
export interface DraftFile {
  id: string;
  name: string;
  media_type: string;
  bytes: number;
  preview_url?: string | null;
}

export interface Draft {
  text: string;
  files: readonly DraftFile[];
}

interface Kept extends Draft {
  at: number;
}

export const EMPTY: Draft = { text: "", files: [] };
/** Only so many are kept; the oldest go first. */
export const KEPT = 50;
const PREFIX = "retinue.draft:";

/** Where the draft of a place is kept. */
export function draftKey(userId: string, channelId: string, replyTo?: string | null): string {
  return `${PREFIX}${userId}:${channelId}${replyTo ? `:${replyTo}` : ""}`;
}

function isFile(value: unknown): value is DraftFile {
  if (typeof value !== "object" || value === null) return false;
  const file = value as Record<string, unknown>;
  return typeof file["id"] === "string" && typeof file["name"] === "string";
}

function parse(raw: string | null): Kept | null {
  if (raw === null) return null;
  try {
    const value = JSON.parse(raw) as Record<string, unknown> | null;
    if (typeof value !== "object" || value === null || typeof value["text"] !== "string") return null;
    const files = Array.isArray(value["files"]) ? value["files"].filter(isFile) : [];
    return { text: value["text"], files, at: typeof value["at"] === "number" ? value["at"] : 0 };
  } catch {
    return null;
  }
}

/** The draft that is kept, or the empty one. */
export function loadDraft(key: string, store: Storage | undefined = storage()): Draft {
  try {
    const kept = parse(store?.getItem(key) ?? null);
    return kept ? { text: kept.text, files: kept.files } : EMPTY;
  } catch {
    return EMPTY;
  }
}

/** Keep a draft; an empty one is forgotten. */
export function saveDraft(key: string, draft: Draft, store: Storage | undefined = storage(), now = Date.now()): void {
  try {
    if (!draft.text.trim() && draft.files.length === 0) {
      store?.removeItem(key);
      return;
    }
    const kept: Kept = { text: draft.text, files: draft.files, at: now };
    store?.setItem(key, JSON.stringify(kept));
    if (store) prune(store);
  } catch {
    // a full or forbidden store: the text is still in the composer
  }
}

function prune(store: Storage): void {
  const keys = Array.from({ length: store.length }, (_, index) => store.key(index)).filter(
    (key): key is string => key?.startsWith(PREFIX) ?? false,
  );
  if (keys.length <= KEPT) return;
  const aged = keys.map((key) => ({ key, at: parse(store.getItem(key))?.at ?? 0 })).sort((a, b) => a.at - b.at);
  for (const { key } of aged.slice(0, keys.length - KEPT)) store.removeItem(key);
}

function storage(): Storage | undefined {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined;
  }
}
