/** What is said of seals and of a verification. Pure. */
import type { Finding, Report, SealState } from "@/api/audit";
import { plural } from "@/lib/format";
import { madeAt } from "@/lib/typeid";
import { moment } from "@/lib/time";

/** "Sealed until 14:03:12 · 12 lines waiting". */
export function sealWords({ sealed_at, unsealed }: SealState, now: number): string {
  const until = sealed_at ? `Sealed until ${moment(sealed_at, now)}` : "Nothing sealed yet";
  return `${until} · ${unsealed > 0 ? `${plural(unsealed, "line")} waiting` : "no line waiting"}`;
}

/** What a verification came to, in one sentence. */
export function reportWords({ seals, lines, faults }: Report): string {
  if (faults > 0) return `${plural(faults, "finding")} in ${plural(lines, "line")} under ${plural(seals, "seal")}.`;
  if (seals === 0) return "Nothing is sealed yet, so there is nothing to verify.";
  return `Whole: ${plural(lines, "line")} under ${plural(seals, "seal")}.`;
}

const OF_LINES: Partial<Record<Finding["fault"], string>> = {
  line_changed: "is not as it was sealed",
  line_inserted: "was never sealed",
  line_moved: "stands in another place than it was sealed in",
  line_unsealed: "is covered by no seal",
};

export interface Told {
  /** The line it is about, where that is known, and what to call it. */
  line: { id: string; label: string } | null;
  words: string;
}

/** A finding, for people who see lines by their time rather than by their place in a file. */
export function told({ fault, line_id, seal, detail }: Finding, now: number): Told {
  const at = line_id ? madeAt(line_id) : null;
  const words = OF_LINES[fault];
  if (!line_id || at === null || !words) return { line: null, words: detail };
  return { line: { id: line_id, label: `The line of ${moment(at, now)}` }, words: `${words}${seal ? ` (seal ${seal})` : ""}.` };
}
