/** What a change would have made of the last days, in words. Pure. */
import type { Preview } from "@/api/policies";
import { count, plural } from "@/lib/format";

const KINDS: Record<Preview["kind"], readonly [one: string, many: string]> = {
  calls: ["call of a tool", "calls of tools"],
  models: ["call of a model", "calls of models"],
  both: ["call", "calls"],
  none: ["", ""],
};

/** "Of 214 calls of tools, 12 would have gone otherwise." */
export function sumWords({ kind, judged, shifts, complete }: Pick<Preview, "kind" | "judged" | "shifts" | "complete">): string {
  if (kind === "none") return "What sets agents off is not decided call by call, so there is nothing to compare.";
  const [one, many] = KINDS[kind];
  if (judged === 0) return `There was no ${one} it speaks of.`;
  const all = changed({ shifts });
  const of = `Of ${complete ? "" : "the newest "}${plural(judged, one, many)}, `;
  if (all === 0) return `${of}none would have gone otherwise.`;
  return `${of}${count(all)} would have gone otherwise.`;
}

/** How many calls would have gone otherwise. */
export function changed({ shifts }: Pick<Preview, "shifts">): number {
  return shifts.reduce((sum, shift) => sum + shift.count, 0);
}
