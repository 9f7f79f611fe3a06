/** An agent's days as bars and sums. */
import type { AgentDay } from "@/api/agents";
import { money, type Amount } from "@/lib/money";
import { calendarDay } from "@/lib/time";

export interface Bar {
  label: string;
  cost: number;
  turns: number;
}

/** Heights for the axis: zero, and round steps (1, 2 or 5 of a power of ten) until the highest bar is reached. */
export function ticks(highest: number, parts = 4): number[] {
  if (!(highest > 0)) return [0];
  const rough = highest / parts;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) ?? 10);
  const many = Math.ceil(highest / step - 1e-9);
  return Array.from({ length: many + 1 }, (_, at) => Number((at * step).toPrecision(6)));
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

/** "12 Mar" of "2026-03-12": a calendar day has no time zone. */
export function dayLabel(day: string): string {
  const at = new Date(`${day}T00:00:00Z`);
  return calendarDay(at);
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

/** A height of the axis as money, with no more digits than the step between two of them needs. */
export function axisCost(step: number, value: number): string {
  const digits = Math.max(2, Math.min(6, Math.ceil(-Math.log10(step) - 1e-9)));
  return `$${value.toFixed(value === 0 ? 0 : step >= 1 ? 0 : digits)}`;
}

/** A day's cost as money. */
export function tickCost(value: number): string {
  return money({ amount_micro: Math.round(value * 1_000_000), currency: "USD" });
}
