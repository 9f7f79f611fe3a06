/** The limits of cost and what is used up of them. What they say is a policy: policies.ts writes it. */
import { useQuery } from "@tanstack/react-query";

import { api, unwrap, type Schemas } from "./client";
import { keys } from "./keys";
import { everyPage } from "./pages";

export type Budget = Schemas["Budget"];
export type CostRule = Schemas["CostRule"];

const POLL_MS = 30_000;

/** Each limit of cost by whom it counts, as far as one may see it. Asked anew while it is seen: spending has no events. */
export function useBudgets() {
  return useQuery({
    queryKey: keys.budgets,
    queryFn: () =>
      everyPage((after) => unwrap(api.GET("/v1/budgets", { params: { query: { limit: 200, ...(after ? { after } : {}) } } }))),
    staleTime: 0,
    refetchInterval: POLL_MS,
    meta: { live: false },
  });
}
