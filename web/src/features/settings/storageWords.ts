/** Places and kinds of files in words. */

const KINDS: Record<string, string> = {
  database: "The database",
  directory: "A directory of the server",
  folder: "A directory of the server",
  s3: "An S3-compatible store",
};

export function kindWords(kind: string): string {
  return KINDS[kind] ?? kind;
}

const TYPES: Record<string, string> = {
  "image/*": "pictures",
  "audio/*": "sound",
  "video/*": "video",
  "text/*": "text",
  "application/pdf": "PDF",
  "application/json": "JSON",
  "application/zip": "ZIP",
};

/** "Pictures, text, PDF and 3 others". */
export function typeWords(types: readonly string[]): string {
  if (types.length === 0 || types.includes("*/*")) return "Any";
  const known = types.flatMap((type) => TYPES[type] ?? []);
  const others = types.length - known.length;
  if (known.length === 0) return types.join(", ");
  const words = known.join(", ") + (others > 0 ? ` and ${others} ${others === 1 ? "other" : "others"}` : "");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
