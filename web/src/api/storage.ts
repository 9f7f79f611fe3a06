/** Where files are kept, and how much of it is used. */
import { useMutation, useQuery } from "@tanstack/react-query";

import { api, unwrap } from "./client";
import { keys } from "./keys";

/** Admins only. */
export function useStorage(enabled: boolean) {
  return useQuery({ queryKey: keys.storage, queryFn: () => unwrap(api.GET("/v1/storage")), enabled });
}

export function useStorageLimits() {
  return useQuery({ queryKey: [...keys.storage, "limits"], queryFn: () => unwrap(api.GET("/v1/storage/limits")) });
}

/** Writes a small file, reads it back and deletes it. */
export function useTestStorage() {
  return useMutation({ mutationFn: () => unwrap(api.POST("/v1/storage/test")) });
}
