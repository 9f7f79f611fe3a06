/**
 * @mentions while they are typed: what is being mentioned at the caret, who fits, and what is put into the text.
 *
 * The server decides whom a message mentions (`domain/mentions.py`); `mentionsIn` is the same rule, so that what the
 * composer inserts is understood there: `@` and a slug of ASCII letters, digits, `-` and `_`, never in code.
 */

export interface Mentionable {
  id: string;
  kind: "user" | "agent";
  name: string;
  /** What stands behind the `@`. */
  handle: string;
}

/** The mention that is being typed: `start` is the place of its `@`. */
export interface MentionQuery {
  start: number;
  end: number;
  query: string;
}

const MENTION = /(?<![\w@/.])@([a-z0-9][a-z0-9_-]{0,62})/gi;
const CODE = /```[\s\S]*?(?:```|$)|`[^`\n]*`/g;
const TYPED = /(?<![\p{L}\p{N}_@/.])@([\p{L}\p{N}_.'-]{0,40})$/u;
const MARKS = /\p{M}/gu;

/** The distinct handles a text mentions, in order, lower case. */
export function mentionsIn(text: string): string[] {
  const found = [...text.replace(CODE, " ").matchAll(MENTION)].map((match) =>
    (match[1] ?? "").toLowerCase().replace(/[-_]+$/, ""),
  );
  return [...new Set(found)];
}

/** The handle of a name: `Dr. Ánn's helper` is `dr-ann-s-helper`. Empty when nothing of it can be a handle. */
export function handleOf(name: string): string {
  const plain = name.normalize("NFKD").replace(MARKS, "").toLowerCase();
  return plain
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+/, "")
    .slice(0, 55)
    .replace(/-+$/, "");
}

/** Whether the caret stands in code, where nobody is mentioned. */
function inCode(before: string): boolean {
  if ((before.split("```").length - 1) % 2 === 1) return true;
  const line = before.slice(before.lastIndexOf("\n") + 1).replace(/```/g, "");
  return (line.split("`").length - 1) % 2 === 1;
}

/** The mention that is being typed at the caret, if there is one. */
export function mentionAt(text: string, caret: number): MentionQuery | null {
  const before = text.slice(0, caret);
  const match = TYPED.exec(before);
  if (!match || inCode(before)) return null;
  return { start: match.index, end: caret, query: match[1] ?? "" };
}

function plain(text: string): string {
  return text.normalize("NFKD").replace(MARKS, "").toLowerCase();
}

/** How well somebody fits: 0 is best; null when they do not. */
function rank(who: Mentionable, query: string): number | null {
  const name = plain(who.name);
  const handle = who.handle.toLowerCase();
  if (handle === query || name === query) return 0;
  if (handle.startsWith(query)) return 1;
  if (name.startsWith(query)) return 2;
  if (name.split(/[\s-]+/).some((word) => word.startsWith(query))) return 3;
  return query.length > 1 && (name.includes(query) || handle.includes(query)) ? 4 : null;
}

/** Who fits what was typed, best first. Those without a handle cannot be mentioned. */
export function matching(everyone: readonly Mentionable[], query: string, limit = 8): Mentionable[] {
  const wanted = plain(query);
  const found = everyone.flatMap((who) => {
    const place = who.handle ? rank(who, wanted) : null;
    return place === null ? [] : [{ who, place }];
  });
  found.sort(
    (a, b) => a.place - b.place || a.who.kind.localeCompare(b.who.kind) || a.who.name.localeCompare(b.who.name),
  );
  return found.slice(0, limit).map((one) => one.who);
}

/** The text with the handle in place of what was typed, and where the caret goes. */
export function withMention(text: string, at: MentionQuery, handle: string): { text: string; caret: number } {
  const rest = text.slice(at.end);
  const space = /^\s/.test(rest) ? "" : " ";
  const head = `${text.slice(0, at.start)}@${handle}`;
  return { text: `${head}${space}${rest}`, caret: head.length + 1 };
}

/** The next place in a list that goes round. */
export function step(active: number, by: 1 | -1, length: number): number {
  return length === 0 ? 0 : (active + by + length) % length;
}
