/** Teams and who is in them. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { api, unwrap, type Schemas } from "./client";
import { keys } from "./keys";
import { everyPage } from "./pages";

export type Team = Schemas["Team"];
export type Role = Schemas["Role"];

export function useTeams() {
  return useQuery({
    queryKey: keys.teams.list(),
    queryFn: () =>
      everyPage((after) => unwrap(api.GET("/v1/teams", { params: { query: { limit: 200, ...(after ? { after } : {}) } } }))),
  });
}

export function useTeamMembers(id: string, enabled = true) {
  return useQuery({
    queryKey: keys.teams.members(id),
    queryFn: () =>
      everyPage((after) =>
        unwrap(
          api.GET("/v1/teams/{team_id}/members", {
            params: { path: { team_id: id }, query: { limit: 200, ...(after ? { after } : {}) } },
          }),
        ),
      ),
    enabled,
  });
}

export function useCreateTeam() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["NewTeam"]) => unwrap(api.POST("/v1/teams", { body })),
    onSuccess: () => cache.invalidateQueries({ queryKey: keys.teams.all }),
  });
}

export function useUpdateTeam(id: string) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["TeamChanges"]) =>
      unwrap(api.PATCH("/v1/teams/{team_id}", { params: { path: { team_id: id } }, body })),
    onSuccess: () => cache.invalidateQueries({ queryKey: keys.teams.all }),
  });
}

export function useDeleteTeam() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => unwrap(api.DELETE("/v1/teams/{team_id}", { params: { path: { team_id: id } } })),
    onSuccess: () =>
      Promise.all([
        cache.invalidateQueries({ queryKey: keys.teams.all }),
        cache.invalidateQueries({ queryKey: keys.channels.all }),
      ]),
  });
}

export function useAddTeamMember(id: string) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["NewTeamMember"]) =>
      unwrap(api.POST("/v1/teams/{team_id}/members", { params: { path: { team_id: id } }, body })),
    onSuccess: () => cache.invalidateQueries({ queryKey: keys.teams.all }),
  });
}

export function useRemoveTeamMember(id: string) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (member: string) =>
      unwrap(
        api.DELETE("/v1/teams/{team_id}/members/{member_id}", { params: { path: { team_id: id, member_id: member } } }),
      ),
    onSuccess: () => cache.invalidateQueries({ queryKey: keys.teams.all }),
  });
}
