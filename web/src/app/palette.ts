/** What the palette holds, and what of it a query means. Pure. */
import type { ReactNode } from "react";

export type GroupName = "Agents" | "Channels" | "Pages" | "Recent turns" | "Do" | "Messages";

export interface Entry {
  id: string;
  group: GroupName;
  label: string;
  detail?: string;
  /** More words it is found by. */
  words?: string;
  mark: ReactNode;
  run: () => void;
}

export interface Group {
  name: GroupName;
  entries: Entry[];
}

const ORDER: readonly GroupName[] = ["Agents", "Channels", "Pages", "Do", "Recent turns", "Messages"];
const SHOWN = 6;

/** How well `text` answers the query: the beginning of it, of a word, any place, its letters in order; null for no. */
export function score(text: string, query: string): number | null {
  const [hay, needle] = [fold(text), fold(query)];
  if (needle === "") return 0;
  const at = hay.indexOf(needle);
  if (at === 0) return 4;
  if (at > 0) return /[\s#@_./-]/.test(hay.charAt(at - 1)) ? 3 : 2;
  return inOrder(hay, needle) ? 1 : null;
}

function fold(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim();
}

function inOrder(hay: string, needle: string): boolean {
  let at = 0;
  for (const letter of needle.replace(/\s/g, "")) {
    at = hay.indexOf(letter, at) + 1;
    if (at === 0) return false;
  }
  return needle.length >= 2;
}

/** The entries that answer the query, by group, the best first; a few of each group while nothing is asked. */
export function matching(entries: readonly Entry[], query: string): Group[] {
  const rated = entries.flatMap((entry) => {
    const best = Math.max(score(entry.label, query) ?? -1, (score(entry.words ?? "", query) ?? 0) - 1.5);
    return best > (query.trim() === "" ? -2 : 0) ? [{ entry, best }] : [];
  });
  const groups = ORDER.map((name) => ({
    name,
    best: Math.max(-1, ...rated.filter(({ entry }) => entry.group === name).map(({ best }) => best)),
    entries: rated
      .filter(({ entry }) => entry.group === name)
      .sort((a, b) => b.best - a.best)
      .slice(0, SHOWN)
      .map(({ entry }) => entry),
  })).filter(({ entries: found }) => found.length > 0);
  if (query.trim() !== "") groups.sort((a, b) => b.best - a.best);
  return groups.map(({ name, entries: found }) => ({ name, entries: found }));
}
