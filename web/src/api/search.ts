/** Full text over the messages one may read. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";

import { api, unwrap } from "./client";
import { keys } from "./keys";

const SHOWN = 8;

/** The best few hits; asks nothing while the query is empty. */
export function useMessageSearch(q: string) {
  return useQuery({
    queryKey: keys.search(q),
    queryFn: ({ signal }) =>
      unwrap(api.GET("/v1/search", { params: { query: { q, limit: SHOWN, neighbours: 0 } }, signal })),
    enabled: q !== "",
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  });
}
