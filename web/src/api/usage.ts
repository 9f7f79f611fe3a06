/** What was used and what it cost: admins see the account's, everyone else their own. Days are in UTC. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";

import { api, unwrap, type Schemas } from "./client";
import { keys } from "./keys";
import { everyPage } from "./pages";
import type { paths } from "./schema";

export type UsageRow = Schemas["UsageRow"];
export type UsageForecast = Schemas["UsageForecast"];
export type Dimension = Schemas["Dimension"];
export type UsageFilters = Omit<NonNullable<paths["/v1/usage"]["get"]["parameters"]["query"]>, "limit" | "after">;

const PAGE = 200;
const STALE_MS = 60_000;
const POLL_MS = 60_000;
/** So many days times things are drawn apart; beyond that a day is one bar. */
const MOST_PARTS = 10 * PAGE;

export interface UsageDays {
  rows: UsageRow[];
  /** Whether the rows tell things apart; otherwise they are of whole days. */
  split: boolean;
}

function read(filters: UsageFilters, after?: string) {
  return unwrap(api.GET("/v1/usage", { params: { query: { ...filters, limit: PAGE, ...(after ? { after } : {}) } } }));
}

/** Totals by what `filters.by` says, all of them. */
export function useUsage(filters: UsageFilters = {}) {
  return useQuery({
    queryKey: keys.usage.list(filters),
    queryFn: () => everyPage((after) => read(filters, after)),
    staleTime: STALE_MS,
    refetchInterval: POLL_MS,
    placeholderData: keepPreviousData,
    meta: { live: false },
  });
}

/** Totals of each day by `by`; where that were too many, of each day alone. */
export function useUsageDays(by: Dimension, filters: Omit<UsageFilters, "by">) {
  return useQuery({
    queryKey: keys.usage.days(by, filters),
    queryFn: async (): Promise<UsageDays> => {
      const rows: UsageRow[] = [];
      let after: string | undefined;
      do {
        const page = await read({ ...filters, by: ["day", by] }, after);
        rows.push(...page.data);
        after = page.next ?? undefined;
      } while (after && rows.length < MOST_PARTS);
      if (!after) return { rows, split: true };
      return { rows: await everyPage((next) => read({ ...filters, by: ["day"] }, next)), split: false };
    },
    staleTime: STALE_MS,
    refetchInterval: POLL_MS,
    placeholderData: keepPreviousData,
    meta: { live: false },
  });
}

/** What was spent this month, and what will have been at its end. */
export function useForecast(filters: { agent_id?: string; user_id?: string } = {}) {
  return useQuery({
    queryKey: keys.usage.forecast(filters),
    queryFn: () => unwrap(api.GET("/v1/usage/forecast", { params: { query: { period: "month", ...filters } } })),
    staleTime: STALE_MS,
    refetchInterval: POLL_MS,
    placeholderData: keepPreviousData,
    meta: { live: false },
  });
}

/** Where the same totals are downloaded from, as CSV. */
export function usageExportAddress({ by = [], ...filters }: UsageFilters): string {
  const wanted = new URLSearchParams(by.map((one) => ["by", one]));
  for (const [name, value] of Object.entries(filters)) if (typeof value === "string") wanted.set(name, value);
  return `/v1/usage/export${wanted.size > 0 ? `?${wanted.toString()}` : ""}`;
}
