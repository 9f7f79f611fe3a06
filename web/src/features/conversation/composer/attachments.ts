/** Files on their way into a message: what is refused before it is sent, and what the tray shows. Pure. */

import type { DraftFile } from "@/lib/draft";

export interface Limits {
  /** Bytes of one file. */
  maxBytes: number;
  /** Files of one message. */
  maxFiles: number;
  /** Media types that are taken, with `*` for any, such as `image/*`. */
  types: readonly string[];
}

/** What holds until the server has said its own limits. */
export const DEFAULT_LIMITS: Limits = { maxBytes: 25 * 1024 * 1024, maxFiles: 10, types: [] };

export interface Attachment {
  key: string;
  name: string;
  bytes: number;
  mediaType: string;
  state: "uploading" | "ready" | "failed";
  /** 0 to 1. */
  progress: number;
  /** What the server made of it, once it is there. */
  file: DraftFile | null;
  /** A picture to show while it uploads. */
  preview: string | null;
  error: string | null;
}

export type AttachmentAction =
  | { do: "add"; items: readonly Attachment[] }
  | { do: "progress"; key: string; progress: number }
  | { do: "ready"; key: string; file: DraftFile }
  | { do: "failed"; key: string; error: string }
  | { do: "again"; key: string }
  | { do: "remove"; key: string }
  | { do: "clear" };

export function attachmentsReducer(state: readonly Attachment[], action: AttachmentAction): readonly Attachment[] {
  switch (action.do) {
    case "add":
      return [...state, ...action.items];
    case "remove":
      return state.filter((one) => one.key !== action.key);
    case "clear":
      return [];
    case "progress":
      return change(state, action.key, (one) => ({ ...one, progress: Math.max(one.progress, action.progress) }));
    case "ready":
      return change(state, action.key, (one) => ({ ...one, state: "ready", progress: 1, file: action.file }));
    case "failed":
      return change(state, action.key, (one) => ({ ...one, state: "failed", error: action.error }));
    case "again":
      return change(state, action.key, (one) => ({ ...one, state: "uploading", progress: 0, error: null }));
  }
}

function change(
  state: readonly Attachment[],
  key: string,
  make: (one: Attachment) => Attachment,
): readonly Attachment[] {
  return state.map((one) => (one.key === key ? make(one) : one));
}

/** What a file of a restored draft looks like in the tray. */
export function fromDraft(file: DraftFile): Attachment {
  return {
    key: file.id, name: file.name, bytes: file.bytes, mediaType: file.media_type,
    state: "ready", progress: 1, file, preview: file.preview_url ?? null, error: null,
  };
}

export function readyFiles(state: readonly Attachment[]): DraftFile[] {
  return state.flatMap((one) => (one.file ? [one.file] : []));
}

export function isUploading(state: readonly Attachment[]): boolean {
  return state.some((one) => one.state === "uploading");
}

/** Which of the files can go, and a kind sentence for each that cannot. */
export function sift<T extends { name: string; size: number; type?: string }>(
  files: readonly T[],
  already: number,
  limits: Limits,
): { taken: T[]; refused: string[] } {
  const refused: string[] = [];
  const fitting = files.filter((file) => {
    const why = objection(file, limits);
    if (why) refused.push(why);
    return !why;
  });
  const room = Math.max(0, limits.maxFiles - already);
  if (fitting.length > room) {
    refused.push(`A message holds ${limits.maxFiles} files. Send the others in another one.`);
  }
  return { taken: fitting.slice(0, room), refused };
}

function objection(file: { name: string; size: number; type?: string }, limits: Limits): string | null {
  if (file.size === 0) return `${file.name} is empty.`;
  if (file.type && !isTaken(file.type, limits.types)) return `${file.name}: files of the type ${file.type} aren't taken here.`;
  if (file.size > limits.maxBytes) {
    return `${file.name} has ${size(file.size)}; a file may have up to ${size(limits.maxBytes)}.`;
  }
  return null;
}

/** What browsers call a file they know nothing of. */
const UNKNOWN = "application/octet-stream";

/** Whether a media type is among those that are taken. The server looks at the bytes and has the last word. */
function isTaken(type: string, types: readonly string[]): boolean {
  if (types.length === 0 || type === UNKNOWN) return true;
  return types.some((pattern) => {
    const escaped = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${escaped.join(".*")}$`).test(type.split(";")[0] ?? type);
  });
}

const UNITS = ["bytes", "KB", "MB", "GB"];

/** `1.4 MB`. */
export function size(bytes: number): string {
  const power = bytes < 1024 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  const text = power === 0 || value >= 10 ? Math.round(value).toString() : value.toFixed(1).replace(/\.0$/, "");
  return `${text} ${UNITS[power] ?? ""}`;
}

export function isPicture(mediaType: string): boolean {
  return /^image\/(png|jpeg|gif|webp|avif)$/.test(mediaType);
}

/** The files of a paste or a drop. A picture copied from a page has no name worth keeping. */
export function filesOf(data: DataTransfer | null): File[] {
  return [...(data?.files ?? [])];
}

/** Whether something that is dragged brings files. */
export function bringsFiles(data: DataTransfer | null): boolean {
  return data ? [...data.types].includes("Files") : false;
}
