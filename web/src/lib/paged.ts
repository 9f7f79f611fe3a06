/** Lists read page by page while their beginning grows. Pure. */

interface Row {
  id: string;
}

interface Pages<T> {
  pages: readonly { data: readonly T[] }[];
}

/** All rows, once each: a row may stand on two pages when one came in between. */
export function rowsOf<T extends Row>(data: Pages<T> | undefined): T[] {
  const seen = new Map<string, T>();
  for (const row of data?.pages.flatMap((page) => page.data) ?? []) if (!seen.has(row.id)) seen.set(row.id, row);
  return [...seen.values()];
}

/** Those of the newest that are not among the rows yet. */
export function unseen<T extends Row>(rows: readonly T[], newest: readonly T[]): T[] {
  const known = new Set(rows.map((row) => row.id));
  return newest.filter((row) => !known.has(row.id));
}
