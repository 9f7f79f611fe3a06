/** The account itself: its name and what holds for all of it. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { api, type Schemas, unwrap } from "./client";
import { keys } from "./keys";

export function useAccount() {
  return useQuery({ queryKey: keys.account, queryFn: () => unwrap(api.GET("/v1/accounts/current")) });
}

export function useUpdateAccount() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["AccountChanges"]) => unwrap(api.PATCH("/v1/accounts/current", { body })),
    onSuccess: () =>
      Promise.all([keys.account, keys.me, keys.models].map((queryKey) => cache.invalidateQueries({ queryKey }))),
  });
}
