/** The filters of the log: as they stand in the address, and as the API takes them. */
import type { InteractionFilters } from "@/api/interactions";
import { isSince, sinceOf } from "@/lib/ranges";
import type { Sort } from "@/ui/table/columns";

export const STATES = ["queued", "running", "waiting", "succeeded", "failed", "cancelled"] as const;
export type StateName = (typeof STATES)[number];

export const ORDERS = ["newest", "oldest", "cost", "slowest"] as const;
export type Order = (typeof ORDERS)[number];

export interface ActivitySearch {
  state?: StateName;
  agent_id?: string;
  channel_id?: string;
  user_id?: string;
  /** "1h", "24h", "7d", "30d", or a moment (RFC 3339). */
  since?: string;
  /** In whole units of the currency: "0.01". */
  min_cost?: string;
  /** Words of the question or the answer. */
  q?: string;
  sort?: Order;
}

/** What of an address is understood; the rest is left out rather than shown as an error. */
export function readSearch(raw: Record<string, unknown>): ActivitySearch {
  const search: ActivitySearch = {};
  const state = STATES.find((name) => name === raw["state"]);
  if (state) search.state = state;
  for (const name of ["agent_id", "channel_id", "user_id", "q"] as const) {
    const value = raw[name];
    if (typeof value === "string" && value !== "") search[name] = value;
  }
  const since = raw["since"];
  if (isSince(since)) search.since = since;
  const cost = Number(raw["min_cost"]);
  if (Number.isFinite(cost) && cost > 0) search.min_cost = String(cost);
  const sort = ORDERS.find((name) => name === raw["sort"]);
  if (sort && sort !== "newest") search.sort = sort;
  return search;
}

/** What the API is asked for. A range counts back from `now`, in whole minutes, so that the question stays the same. */
export function toFilters(search: ActivitySearch, now: number): InteractionFilters {
  const { since, min_cost, ...same } = search;
  const filters: InteractionFilters = { ...same };
  if (since) filters.since = sinceOf(since, now);
  if (min_cost) filters.min_cost_micro = Math.round(Number(min_cost) * 1_000_000);
  return filters;
}

export function isFiltered(search: ActivitySearch): boolean {
  return Object.keys(search).some((name) => name !== "sort");
}

const SORTS: Record<Order, Sort> = {
  newest: { by: "started", descending: true },
  oldest: { by: "started", descending: false },
  cost: { by: "cost", descending: true },
  slowest: { by: "duration", descending: true },
};

/** The order as the table shows it. */
export function sortOf(order: Order = "newest"): Sort {
  return SORTS[order];
}

/** What the server calls the order somebody chose; it has no "cheapest" and no "fastest": those go back to newest. */
export function nameOf(sort: Sort | null): Order {
  const found = ORDERS.find((name) => SORTS[name].by === sort?.by && SORTS[name].descending === sort.descending);
  return found ?? "newest";
}
