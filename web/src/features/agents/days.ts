/** An agent's days as bars and sums. */
import type { AgentDay } from "@/api/agents";
import { dayLabel } from "@/lib/costAxis";
import type { Amount } from "@/lib/money";

export interface Bar {
  label: string;
  cost: number;
  turns: number;
}

/** Every seventh day up to the last: a label a week. */
export function weeks(labels: readonly string[]): string[] {
  return labels.filter((_, at) => (labels.length - 1 - at) % 7 === 0);
}

/** One bar per day, oldest first; heights in whole units of the currency. */
export function bars(days: readonly AgentDay[]): Bar[] {
  const sorted = [...days].sort((a, b) => a.day.localeCompare(b.day));
  return sorted.map((day) => ({ label: dayLabel(day.day), cost: day.cost.amount_micro / 1_000_000, turns: day.turns }));
}

export function summary(days: readonly AgentDay[]): { cost: Amount; turns: number; failed: number; most: number } {
  const sum = (pick: (day: AgentDay) => number) => days.reduce((total, day) => total + pick(day), 0);
  return {
    cost: { amount_micro: sum((day) => day.cost.amount_micro), currency: days[0]?.cost.currency ?? "USD" },
    turns: sum((day) => day.turns),
    failed: sum((day) => day.failed),
    most: Math.max(0, ...days.map((day) => day.cost.amount_micro)),
  };
}
