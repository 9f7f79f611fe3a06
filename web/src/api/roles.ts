/** Worker roles: what agents of a role may do alone. For admins. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { api, unwrap, type Schemas } from "./client";
import { keys } from "./keys";
import { everyPage } from "./pages";

export type WorkerRole = Schemas["RoleView"];
export type NewRole = Schemas["NewRole"];
export type RoleChange = Schemas["WorkerRoleChange"];

export function useRoles(enabled = true) {
  return useQuery({
    queryKey: keys.roles,
    queryFn: () =>
      everyPage((after) => unwrap(api.GET("/v1/roles", { params: { query: { limit: 200, ...(after ? { after } : {}) } } }))),
    enabled,
  });
}

export function useCreateRole() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: NewRole) => unwrap(api.POST("/v1/roles", { body })),
    onSuccess: () => cache.invalidateQueries({ queryKey: keys.roles }),
  });
}

export function useUpdateRole(id: string) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: NewRole) => unwrap(api.PATCH("/v1/roles/{role_id}", { params: { path: { role_id: id } }, body })),
    onSuccess: () => cache.invalidateQueries({ queryKey: keys.roles }),
  });
}

export function useDeleteRole() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => unwrap(api.DELETE("/v1/roles/{role_id}", { params: { path: { role_id: id } } })),
    onSettled: () => cache.invalidateQueries({ queryKey: keys.roles }),
  });
}
