/** The axes of charts of cost: days along, round sums of money up from zero. Pure. */
import { money } from "./money";
import { calendarDay } from "./time";

/** Heights for the axis: zero, and round steps (1, 2 or 5 of a power of ten) until the highest bar is reached. */
export function ticks(highest: number, parts = 4): number[] {
  if (!(highest > 0)) return [0];
  const rough = highest / parts;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) ?? 10);
  const many = Math.ceil(highest / step - 1e-9);
  return Array.from({ length: many + 1 }, (_, at) => Number((at * step).toPrecision(6)));
}

/** "12 Mar" of "2026-03-12": a calendar day has no time zone. */
export function dayLabel(day: string): string {
  const at = new Date(`${day}T00:00:00Z`);
  return calendarDay(at);
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
