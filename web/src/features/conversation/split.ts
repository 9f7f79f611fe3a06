/**
 * Which rows are virtual and which stand in the page as they are. Pure.
 *
 * The last rows are never virtual: a reply that grows there moves nothing but itself, and a reader further up stays
 * where they are. Once the reader is at the bottom, what has piled up there becomes virtual too.
 */

/** The key of the last virtual row; null: none is. */
export type Split = { after: string | null };

const TAIL = 12;
const PILE = 24;

export interface Keyed {
  key: string;
}

/** How many rows are virtual. -1 where the split's row is no longer there. */
export function headLength(rows: readonly Keyed[], split: Split): number {
  if (split.after === null) return 0;
  return rows.findLastIndex((row) => row.key === split.after) + 1 || -1;
}

export function nextSplit(split: Split | null, rows: readonly Keyed[], at: { present: boolean; bottom: boolean }): Split {
  if (!at.present) return { after: rows.at(-1)?.key ?? null };
  const head = split ? headLength(rows, split) : -1;
  const lost = head < 0;
  const piled = at.bottom && rows.length - head > PILE;
  if (!lost && !piled && split) return split;
  return { after: rows[rows.length - TAIL - 1]?.key ?? null };
}

/** Whether rows came or went at the front, so that the distance to the end is what stays the same. */
export function shifted(before: readonly Keyed[], after: readonly Keyed[]): boolean {
  const [first, now] = [before[0]?.key, after[0]?.key];
  if (first === undefined || now === undefined || first === now) return false;
  return after.some((row) => row.key === first) || before.some((row) => row.key === now);
}
