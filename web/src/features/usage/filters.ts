/** What the page is asked for: as it stands in the address, and as the API takes it. Days are in UTC. Pure. */
import type { UsageFilters } from "@/api/usage";

export const BY = ["agent", "model", "team", "user", "tool"] as const;
export type By = (typeof BY)[number];

/** Spans of days; without one it is this month. */
export const SPANS = { last: "Last month", "7d": "Last 7 days", "30d": "Last 30 days", "90d": "Last 90 days" } as const;
export type Span = keyof typeof SPANS;

export interface UsageSearch {
  /** What is told apart; agents where nothing is said. */
  by?: By;
  span?: Span;
  /** The first day and the last, both taken in. They go before a span. */
  from?: string;
  to?: string;
  agent_id?: string;
  user_id?: string;
  model?: string;
  /** The budget that is open: its policy's id, or "new". No filter. */
  budget?: string;
}

/** Days as the API takes them: `until` is the day after the last. */
export interface Days {
  since: string;
  until: string;
}

const DAY_MS = 86_400_000;
const MOST_DAYS = 366;
const SHAPES = { agent_id: /^agt_[0-9a-z]{26}$/, user_id: /^usr_[0-9a-z]{26}$/, model: /^\S(.{0,198}\S)?$/, budget: /^(pol_[0-9a-z]{26}|new)$/ };

/** What of an address is understood; the rest is left out rather than shown as an error. */
export function readSearch(raw: Record<string, unknown>): UsageSearch {
  const search: UsageSearch = {};
  const by = BY.find((one) => one === raw["by"]);
  if (by && by !== "agent") search.by = by;
  for (const name of ["agent_id", "user_id", "model", "budget"] as const) {
    const value = raw[name];
    if (typeof value === "string" && SHAPES[name].test(value)) search[name] = value;
  }
  const [from, to] = [raw["from"], raw["to"]];
  if (isDay(from) && isDay(to) && apart(from, to) >= 0 && apart(from, to) < MOST_DAYS) return { ...search, from, to };
  const span = raw["span"];
  if (typeof span === "string" && Object.hasOwn(SPANS, span)) search.span = span as Span;
  return search;
}

export function isDay(value: unknown): value is string {
  if (typeof value !== "string" || !/^\d{4}-\d{2}-\d{2}$/.test(value)) return false;
  const at = Date.parse(`${value}T00:00:00Z`);
  return !Number.isNaN(at) && dayOf(at) === value;
}

/** The day of a moment, in UTC. */
export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

function apart(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS);
}

export function later(day: string, days: number): string {
  return dayOf(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS);
}

/** The days that are asked about, as seen on the day of `now`. This month is all of it, also what is still to come. */
export function daysOf({ from, to, span }: UsageSearch, now: number): Days {
  if (from && to) return { since: from, until: later(to, 1) };
  const [year, month] = [new Date(now).getUTCFullYear(), new Date(now).getUTCMonth()];
  if (!span) return { since: dayOf(Date.UTC(year, month, 1)), until: dayOf(Date.UTC(year, month + 1, 1)) };
  if (span === "last") return { since: dayOf(Date.UTC(year, month - 1, 1)), until: dayOf(Date.UTC(year, month, 1)) };
  const tomorrow = later(dayOf(now), 1);
  return { since: later(tomorrow, -Number.parseInt(span, 10)), until: tomorrow };
}

/** Every day of them, oldest first. */
export function everyDay({ since, until }: Days): string[] {
  return Array.from({ length: Math.max(0, apart(since, until)) }, (_, at) => later(since, at));
}

/** What the API is asked for, but for what it is broken down by. */
export function toFilters({ agent_id, user_id, model }: UsageSearch, { since, until }: Days): Omit<UsageFilters, "by"> {
  return { since, until, ...(agent_id ? { agent_id } : {}), ...(user_id ? { user_id } : {}), ...(model ? { model } : {}) };
}

/** What the export is to have: the page's days and filters, by day and what is told apart. */
export function exported(search: UsageSearch, days: Days): UsageFilters {
  return { by: ["day", search.by ?? "agent"], ...toFilters(search, days) };
}

export function isFiltered({ agent_id, user_id, model }: UsageSearch): boolean {
  return Boolean(agent_id ?? user_id ?? model);
}
