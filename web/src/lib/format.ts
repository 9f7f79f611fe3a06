/** Numbers and short texts as people read them. */

/** "1,234". */
export function count(value: number, locale?: string): string {
  return new Intl.NumberFormat(locale).format(value);
}

/** "950", "3.0k", "372k", "3.4M": for tokens and other large counts. */
export function compact(value: number): string {
  if (Math.abs(value) < 1000) return String(Math.round(value));
  const digits = Math.floor(Math.log10(Math.abs(value))) % 3 === 2 ? 0 : 1;
  const options = { notation: "compact", minimumFractionDigits: digits, maximumFractionDigits: digits } as const;
  return new Intl.NumberFormat("en", options).format(value).replace("K", "k");
}

/** "640 B", "1.2 KB", "3.4 MB": of 1024 each, as limits are set. */
export function bytes(value: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let rest = value;
  let at = 0;
  while (rest >= 1024 && at < units.length - 1) {
    rest /= 1024;
    at += 1;
  }
  return `${at === 0 || rest >= 100 ? Math.round(rest) : Number(rest.toFixed(1))} ${units[at] ?? "B"}`;
}

/** "1 message", "3 messages". */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** "Ada", "Ada and Ben", "Ada, Ben and 3 others". */
export function names(list: readonly string[], shown = 2): string {
  if (list.length <= 1) return list[0] ?? "";
  const rest = list.length - shown;
  if (rest > 0) return `${list.slice(0, shown).join(", ")} and ${plural(rest, "other")}`;
  return `${list.slice(0, -1).join(", ")} and ${list.at(-1) ?? ""}`;
}

/** `in_development` as "In development": words of the API as labels. */
export function label(word: string): string {
  const spaced = word.replaceAll("_", " ");
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

/** `anthropic/claude-sonnet-4-5-20250929` as "claude-sonnet-4-5": without its provider and the day of its version. */
export function shortModel(model: string): string {
  return model.slice(model.indexOf("/") + 1).replace(/-(?:\d{8}|\d{4}-\d{2}-\d{2})$/, "");
}

/** The first letters of a name, at most two: "Ada Lovelace" is "AL". */
export function initials(name: string): string {
  const words = name.trim().split(/[\s._-]+/u).filter(Boolean);
  const first = [...(words[0] ?? "?")][0] ?? "?";
  const last = words.length > 1 ? ([...(words.at(-1) ?? "")][0] ?? "") : "";
  return (first + last).toUpperCase();
}

/** The text, cut at a word where it is longer than `limit`, with an ellipsis. */
export function shorten(text: string, limit: number): string {
  const plain = text.replace(/\s+/gu, " ").trim();
  if (plain.length <= limit) return plain;
  const cut = plain.slice(0, limit - 1);
  const space = cut.lastIndexOf(" ");
  return `${(space > limit * 0.6 ? cut.slice(0, space) : cut).trimEnd()}…`;
}
