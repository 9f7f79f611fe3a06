/**
 * A channel's history as far as it is loaded: one unbroken stretch of messages, which grows at both ends. Pure.
 *
 * `older` and `newer` say whether there is more beyond. While `newer` is false the stretch reaches the present and news
 * is appended; otherwise the reader looks at the past, and the present comes when they go there.
 */

export interface Placed {
  id: string;
  seq: number;
}

export interface History<M extends Placed> {
  items: readonly M[];
  older: boolean;
  newer: boolean;
}

/** A page as it was fetched, in any order, and whether there is more in that direction. */
export interface Fetched<M extends Placed> {
  items: readonly M[];
  more: boolean;
}

/** The newest page: where reading begins. */
export function newest<M extends Placed>(page: Fetched<M>): History<M> {
  return { items: sorted(page.items), older: page.more, newer: false };
}

export function prepend<M extends Placed>(history: History<M>, page: Fetched<M>): History<M> {
  return { ...history, items: union(history.items, page.items), older: page.more };
}

export function append<M extends Placed>(history: History<M>, page: Fetched<M>): History<M> {
  return { ...history, items: union(history.items, page.items), newer: page.more };
}

/**
 * The newest page once more, after news: joined where it meets what is loaded, with what changed in it. Where it does
 * not meet it, so much was said that the stretch now ends before the present.
 */
export function refresh<M extends Placed>(history: History<M>, page: Fetched<M>): History<M> {
  const last = history.items.at(-1);
  if (!last) return newest(page);
  const meets = !page.more || page.items.some((item) => item.seq <= last.seq);
  if (meets && !history.newer) return same(history, { ...history, items: union(history.items, page.items) });
  const known = page.items.filter((item) => item.seq <= last.seq);
  const newer = history.newer ? !(meets && known.length === page.items.length) : true;
  return same(history, { ...history, items: union(history.items, known), newer });
}

/** One message as it is now: replaced where it is loaded, appended where it is the next, else left for later. */
export function upsert<M extends Placed>(history: History<M>, item: M): History<M> {
  if (history.items.some((one) => one.id === item.id)) {
    return { ...history, items: history.items.map((one) => (one.id === item.id ? item : one)) };
  }
  const last = history.items.at(-1);
  if (history.newer || (last && item.seq < last.seq)) return history;
  return { ...history, items: [...history.items, item] };
}

/** What is loaded, as it is now; nothing is added. */
export function replace<M extends Placed>(history: History<M>, items: readonly M[]): History<M> {
  const loaded = new Set(history.items.map((item) => item.id));
  return same(history, { ...history, items: union(history.items, items.filter((item) => loaded.has(item.id))) });
}

/** How much is kept: so many messages and characters, but never fewer messages than `least`. */
export interface Room {
  messages: number;
  characters: number;
  least: number;
}

/** The newest, as far as there is room: what a reader at the bottom no longer sees need not be kept for ever. */
export function trim<M extends Placed & { content: string }>(history: History<M>, room: Room): History<M> {
  const { items } = history;
  let [kept, characters] = [0, 0];
  while (kept < items.length && kept < room.messages) {
    characters += items[items.length - 1 - kept]?.content.length ?? 0;
    if (characters > room.characters && kept >= room.least) break;
    kept += 1;
  }
  return kept === items.length ? history : { ...history, items: items.slice(-kept), older: true };
}

function union<M extends Placed>(known: readonly M[], fresh: readonly M[]): readonly M[] {
  if (!fresh.length) return known;
  const byId = new Map(known.map((item) => [item.id, item]));
  for (const item of fresh) {
    const before = byId.get(item.id);
    if (!before || JSON.stringify(before) !== JSON.stringify(item)) byId.set(item.id, item);
  }
  return sorted([...byId.values()]);
}

function sorted<M extends Placed>(items: readonly M[]): M[] {
  return [...items].sort((a, b) => a.seq - b.seq);
}

/** The same object where nothing changed, so that nothing is drawn again. */
function same<M extends Placed>(before: History<M>, after: History<M>): History<M> {
  const equal =
    before.older === after.older &&
    before.newer === after.newer &&
    before.items.length === after.items.length &&
    before.items.every((item, index) => item === after.items[index]);
  return equal ? before : after;
}
