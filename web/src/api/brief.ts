/** Answers that are many and large, and of use only while something on the page shows them. */
import type { QueryClient, QueryKey } from "@tanstack/react-query";

/** So long they are kept once nothing shows them any more. Queries that read them say so too (`gcTime`). */
export const BRIEFLY = 2 * 60_000;

/** Puts what is known into the cache, like `setQueryData`, but not for long. */
export function putBriefly(client: QueryClient, queryKey: QueryKey, data: unknown): void {
  const options = client.defaultQueryOptions({ queryKey, gcTime: BRIEFLY });
  client.getQueryCache().build(client, options).setData(data, { manual: true });
}
