import { QueryClient } from "@tanstack/react-query";

import { ApiError } from "@/api/client";

const FRESH = 5 * 60_000; // live events make answers stale, not the clock
const KEPT = 5 * 60_000; // what no view shows; a page that is open all day must not grow with each turn that it showed

/** Whether asking the same again may help: no answer, or a server that is not well. */
export function worthRetrying(failures: number, error: unknown): boolean {
  return failures < 2 && error instanceof ApiError && (error.status === 0 || error.status >= 500);
}

export function createClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: FRESH,
        gcTime: KEPT,
        refetchOnWindowFocus: false,
        retry: worthRetrying,
        retryDelay: (attempt) => Math.min(500 * 2 ** attempt, 4_000),
        networkMode: "always", // the server may be on this very machine
      },
      mutations: { retry: false, networkMode: "always" },
    },
  });
}
