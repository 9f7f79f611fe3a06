/** An agent's days as bars and sums. */
import type { AgentDay } from "@/api/agents";
import { money, type Amount } from "@/lib/money";

export interface Bar {
  label: string;
  cost: number;
  turns: number;
}

/** One bar per day, oldest first; heights in whole units of the currency. */
export function bars(days: readonly AgentDay[]): Bar[] {
  const sorted = [...days].sort((a, b) => a.day.localeCompare(b.day));
  return sorted.map((day) => ({ label: dayLabel(day.day), cost: day.cost.amount_micro / 1_000_000, turns: day.turns }));
}

/** "12 Mar" of "2026-03-12": a calendar day has no time zone. */
export function dayLabel(day: string): string {
  const at = new Date(`${day}T00:00:00Z`);
  return new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" }).format(at);
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

/** A height of the axis as money. */
export function tickCost(value: number): string {
  return money({ amount_micro: Math.round(value * 1_000_000), currency: "USD" });
}
