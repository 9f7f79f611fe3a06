/** API keys: made (the secret is shown once), listed, revoked. Admins see everybody's. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { api, unwrap, type Schemas } from "./client";
import { keys } from "./keys";
import { everyPage } from "./pages";

export type ApiKey = Schemas["ApiKey"];
export type MadeKey = Schemas["MadeKey"];
export type NewKey = Schemas["NewKey"];
export type Scope = Schemas["Scope"];

export function useApiKeys() {
  return useQuery({
    queryKey: keys.apiKeys.list(),
    queryFn: () =>
      everyPage((after) => unwrap(api.GET("/v1/keys", { params: { query: { limit: 200, ...(after ? { after } : {}) } } }))),
  });
}

export function useCreateKey() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: NewKey) => unwrap(api.POST("/v1/keys", { body })),
    onSuccess: () => cache.invalidateQueries({ queryKey: keys.apiKeys.all }),
    gcTime: 0, // the secret does not stay in the cache
  });
}

export function useRevokeKey() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => unwrap(api.DELETE("/v1/keys/{key_id}", { params: { path: { key_id: id } } })),
    onSuccess: () => cache.invalidateQueries({ queryKey: keys.apiKeys.all }),
  });
}
