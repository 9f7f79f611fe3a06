import type { Query, QueryClient, QueryKey } from "@tanstack/react-query";

/**
 * Has what is cached under a key asked again. A first load that is under way may have been answered before what makes it
 * stale: invalidating leaves such a load alone, so it is asked once more when it is there.
 */
export async function freshen(client: QueryClient, queryKey: QueryKey, among: (query: Query) => boolean = () => true): Promise<void> {
  const loading = (query: Query) => query.state.data === undefined && among(query);
  const first = client.isFetching({ queryKey, predicate: loading }) > 0;
  await client.invalidateQueries({ queryKey, predicate: among });
  if (first) await client.invalidateQueries({ queryKey, predicate: among });
}
