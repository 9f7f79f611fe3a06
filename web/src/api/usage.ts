/** What was used and what it cost. */
import { useQuery } from "@tanstack/react-query";

import { api, unwrap, type Schemas } from "./client";
import { keys } from "./keys";
import type { paths } from "./schema";

export type UsageRow = Schemas["UsageRow"];
export type UsageFilters = Omit<NonNullable<paths["/v1/usage"]["get"]["parameters"]["query"]>, "limit" | "after">;

/** Totals by day and agent unless `by` says otherwise; at most 200 rows, the newest days first. */
export function useUsage(filters: UsageFilters = {}) {
  return useQuery({
    queryKey: keys.usage.list(filters),
    queryFn: () => unwrap(api.GET("/v1/usage", { params: { query: { ...filters, limit: 200 } } })),
    staleTime: 60_000,
  });
}
