/** One's own password, and where one is signed in. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { api, unwrap, type Schemas } from "./client";
import { keys } from "./keys";

export type OpenSession = Schemas["OpenSession"];

export function useOpenSessions() {
  return useQuery({
    queryKey: keys.sessions,
    queryFn: () => unwrap(api.GET("/v1/me/sessions", { params: { query: { limit: 200 } } })),
  });
}

export function useEndSession() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      unwrap(api.DELETE("/v1/me/sessions/{session_id}", { params: { path: { session_id: id } } })),
    onSettled: () => cache.invalidateQueries({ queryKey: keys.sessions }),
  });
}

export function useEndOtherSessions() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: () => unwrap(api.DELETE("/v1/me/sessions")),
    onSettled: () => cache.invalidateQueries({ queryKey: keys.sessions }),
  });
}

/** Sets the password; this ends one's other sessions. `current` is needed where there is one already. */
export function useSetPassword() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["NewPassword"]) => unwrap(api.PUT("/v1/me/password", { body })),
    onSuccess: () =>
      Promise.all([
        cache.invalidateQueries({ queryKey: keys.sessions }),
        cache.invalidateQueries({ queryKey: keys.me }),
      ]),
    gcTime: 0,
  });
}
