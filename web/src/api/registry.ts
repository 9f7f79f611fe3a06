/** How agents are registered, and whom they are assigned to. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { api, ApiError, unwrap, type Schemas } from "./client";
import { keys } from "./keys";

export type Registration = Schemas["AgentRegistration"];
export type NewRegistration = Schemas["NewRegistration"];
export type Assignment = Schemas["Assignment"];
export type NewAssignment = Schemas["NewAssignment"];
export type Restriction = Schemas["Restriction"];

/** How the agent is registered; null where it is not, and then it does not work. */
export function useRegistration(agent: string) {
  return useQuery({
    queryKey: keys.agents.registry(agent),
    queryFn: async (): Promise<Registration | null> => {
      try {
        return await unwrap(api.GET("/v1/agents/{agent_id}/registry", { params: { path: { agent_id: agent } } }));
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }
    },
  });
}

export function useRegister(agent: string) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: NewRegistration) =>
      unwrap(api.PUT("/v1/agents/{agent_id}/registry", { params: { path: { agent_id: agent } }, body })),
    onSuccess: (registration) => {
      cache.setQueryData(keys.agents.registry(agent), registration);
      return cache.invalidateQueries({ queryKey: keys.roles });
    },
  });
}

/** All for admins, those of their teams for leads, none for others. */
export function useAssignments(agent: string, enabled = true) {
  return useQuery({
    queryKey: keys.agents.assignments(agent),
    queryFn: () => unwrap(api.GET("/v1/agents/{agent_id}/assignments", { params: { path: { agent_id: agent } } })),
    enabled,
  });
}

function useFresh(agent: string): () => Promise<unknown> {
  const cache = useQueryClient();
  return () =>
    Promise.all([
      cache.invalidateQueries({ queryKey: keys.agents.assignments(agent) }),
      cache.invalidateQueries({ queryKey: keys.agents.lists }),
    ]);
}

export function useAssign(agent: string) {
  const fresh = useFresh(agent);
  return useMutation({
    mutationFn: (body: NewAssignment) =>
      unwrap(api.POST("/v1/agents/{agent_id}/assignments", { params: { path: { agent_id: agent } }, body })),
    onSettled: fresh,
  });
}

export function useRestrict(agent: string) {
  const fresh = useFresh(agent);
  return useMutation({
    mutationFn: ({ id, tool_restrictions }: { id: string; tool_restrictions: Record<string, Restriction> }) =>
      unwrap(
        api.PATCH("/v1/agents/{agent_id}/assignments/{assignment_id}", {
          params: { path: { agent_id: agent, assignment_id: id } },
          body: { tool_restrictions },
        }),
      ),
    onSuccess: fresh,
  });
}

export function useUnassign(agent: string) {
  const fresh = useFresh(agent);
  return useMutation({
    mutationFn: (id: string) =>
      unwrap(
        api.DELETE("/v1/agents/{agent_id}/assignments/{assignment_id}", {
          params: { path: { agent_id: agent, assignment_id: id } },
        }),
      ),
    onSettled: fresh,
  });
}
