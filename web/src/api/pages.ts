/** All of a list that the API gives in pages, for lists that are short by nature (agents, people, keys). */

export interface Part<T> {
  data: T[];
  next: string | null;
}

const PAGES = 50;

/** Reads page after page; stops at 50 pages, so that a mistake cannot read forever. */
export async function everyPage<T>(read: (after: string | undefined) => Promise<Part<T>>): Promise<T[]> {
  const found: T[] = [];
  let after: string | undefined;
  for (let page = 0; page < PAGES; page += 1) {
    const part = await read(after);
    found.push(...part.data);
    if (!part.next) break;
    after = part.next;
  }
  return found;
}
