/** A list read page by page whose rows stay as they were loaded: they must not move under whoever reads them. */
export const FROZEN = {
  initialPageParam: null as string | null,
  getNextPageParam: (page: { next?: string | null }) => page.next,
  staleTime: Infinity,
  refetchOnWindowFocus: false,
  refetchOnReconnect: false,
  meta: { live: false },
};
