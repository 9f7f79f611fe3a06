/** Reactions to a message. Pure. */

export interface Reacted {
  emoji: string;
  count: number;
  mine: boolean;
  user_ids: string[];
}

/** The few that are offered. */
export const OFFERED: readonly (readonly [emoji: string, name: string])[] = [
  ["👍", "Thumbs up"],
  ["👎", "Thumbs down"],
  ["❤️", "Heart"],
  ["🎉", "Celebrate"],
  ["😄", "Smile"],
  ["🙏", "Thanks"],
  ["👀", "Looking"],
  ["✅", "Done"],
  ["❓", "Question"],
  ["🚀", "Rocket"],
  ["😮", "Surprised"],
  ["😢", "Sad"],
];

const NAMES = new Map(OFFERED);

/** What a reaction is called. */
export function emojiName(emoji: string): string {
  return NAMES.get(emoji) ?? emoji;
}

/** The reactions after one's own has been added or taken away. New ones stand last; those of nobody go. */
export function toggled(reactions: readonly Reacted[], emoji: string, userId: string): Reacted[] {
  const seen = reactions.find((one) => one.emoji === emoji);
  if (!seen) return [...reactions, { emoji, count: 1, mine: true, user_ids: [userId] }];
  const others = seen.user_ids.filter((id) => id !== userId);
  const next: Reacted = seen.mine
    ? { ...seen, mine: false, count: seen.count - 1, user_ids: others }
    : { ...seen, mine: true, count: seen.count + 1, user_ids: [...others, userId] };
  return reactions.map((one) => (one.emoji === emoji ? next : one)).filter((one) => one.count > 0);
}

const NAMED = 12;

/** `You, Mara and 3 others reacted with Heart`. */
export function whoReacted(reaction: Reacted, nameOf: (userId: string) => string | undefined): string {
  const others = reaction.user_ids.flatMap((id) => nameOf(id) ?? []);
  const names = [...(reaction.mine ? ["You"] : []), ...others].slice(0, NAMED);
  const rest = reaction.count - names.length;
  const parts = rest > 0 ? [...names, rest === 1 ? "1 other" : `${rest} others`] : names;
  return `${listed(parts)} reacted with ${emojiName(reaction.emoji).toLowerCase()}`;
}

function listed(parts: readonly string[]): string {
  if (parts.length < 2) return parts.join("");
  return `${parts.slice(0, -1).join(", ")} and ${parts.at(-1) ?? ""}`;
}
