/** Who is typing: each notice holds for a few seconds and then fades by itself. Pure. */

export const SEND_EVERY_MS = 3000;
/** A notice holds a little longer than they come. */
export const HOLD_MS = 6000;

/** Until when somebody is taken to be typing, by user. */
export type Typing = Readonly<Record<string, number>>;

/** A notice has come. */
export function heard(state: Typing, userId: string, now: number): Typing {
  return { ...state, [userId]: now + HOLD_MS };
}

/** A message of theirs has come: they are done. */
export function finished(state: Typing, userId: string): Typing {
  if (!(userId in state)) return state;
  return Object.fromEntries(Object.entries(state).filter(([id]) => id !== userId));
}

/** Without those whose notice is over; the same object when there are none. */
export function fade(state: Typing, now: number): Typing {
  const left = Object.entries(state).filter(([, until]) => until > now);
  return left.length === Object.keys(state).length ? state : Object.fromEntries(left);
}

/** When to look again, if anybody is typing. */
export function nextFade(state: Typing): number | null {
  const times = Object.values(state);
  return times.length ? Math.min(...times) : null;
}

/** `Mara is typing`, `Mara and Tom are typing`, `Several people are typing`. */
export function sentence(names: readonly string[]): string {
  const [first, second] = names;
  if (first === undefined) return "";
  if (second === undefined) return `${first} is typing`;
  return names.length === 2 ? `${first} and ${second} are typing` : "Several people are typing";
}
