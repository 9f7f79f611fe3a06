/** What there is to say of a row of the log. */
import type { Interaction } from "@/api/interactions";
import { whyAgain, whyEnded } from "@/lib/reasons";

/** How it went; null for a turn that simply went well. */
export function outcome(row: Interaction): string | null {
  if (row.state === "waiting") return "Waits for an answer";
  const again = whyAgain(row);
  if (again) return `Tries again: ${again}`;
  return whyEnded(row);
}
