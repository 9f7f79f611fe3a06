/** Agents: what they are, what they may use, what they were, and trying one before it is saved. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { api, unwrap, type Schemas } from "./client";
import { keys } from "./keys";
import { everyPage } from "./pages";

export type Agent = Schemas["Agent"];
export type AgentTool = Schemas["AgentTool"];
export type AgentOverview = Schemas["AgentOverview"];
export type NewAgent = Schemas["NewAgent"];
export type AgentChange = Schemas["AgentChange"];
export type CatalogEntry = Schemas["CatalogEntry"];
export type Snapshot = Schemas["Snapshot"];
export type Difference = Schemas["Difference"];
export type AgentActivity = Schemas["AgentActivity"];
export type AgentDay = Schemas["AgentDay"];
export type ToolChoice = Schemas["ToolChoice"];

const ALL = 200;

/** Every agent one can reach, oldest first. */
export function useAgents() {
  return useQuery({
    queryKey: keys.agents.list(),
    queryFn: () =>
      everyPage((after) => unwrap(api.GET("/v1/agents", { params: { query: { limit: ALL, ...(after ? { after } : {}) } } }))),
  });
}

export function useAgent(id: string) {
  return useQuery({
    queryKey: keys.agents.one(id),
    queryFn: () => unwrap(api.GET("/v1/agents/{agent_id}", { params: { path: { agent_id: id } } })),
    enabled: id !== "",
  });
}

/** Where each agent is active, when it last worked, whether it works now; by agent id. */
export function useAgentOverview() {
  return useQuery({
    queryKey: [...keys.agents.lists, "overview"],
    queryFn: () => unwrap(api.GET("/v1/agents/overview")),
    select: (rows: AgentOverview[]) => new Map(rows.map((row) => [row.agent_id, row])),
  });
}

/** Where the agent is active, its last turns, and what each of the last days cost. */
export function useAgentActivity(id: string) {
  return useQuery({
    queryKey: keys.agents.activity(id),
    queryFn: () => unwrap(api.GET("/v1/agents/{agent_id}/activity", { params: { path: { agent_id: id } } })),
    enabled: id !== "",
  });
}

export function useAgentTools(id: string) {
  return useQuery({
    queryKey: keys.agents.tools(id),
    queryFn: () => unwrap(api.GET("/v1/agents/{agent_id}/tools", { params: { path: { agent_id: id } } })),
    enabled: id !== "",
  });
}

/** The configurations the agent has had, newest first. Admins only. */
export function useSnapshots(id: string, enabled = true) {
  return useQuery({
    queryKey: keys.agents.snapshots(id),
    queryFn: () =>
      unwrap(api.GET("/v1/agents/{agent_id}/snapshots", { params: { path: { agent_id: id }, query: { limit: 50 } } })),
    enabled: enabled && id !== "",
  });
}

/** What changed from the configuration `since` to the configuration `hash`. */
export function useSnapshotChanges(id: string, hash: string, since: string | null) {
  return useQuery({
    queryKey: [...keys.agents.snapshots(id), hash, since],
    queryFn: () =>
      unwrap(
        api.GET("/v1/agents/{agent_id}/snapshots/{config_hash}/changes", {
          params: { path: { agent_id: id, config_hash: hash }, query: { since: since ?? "" } },
        }),
      ),
    enabled: since !== null,
    staleTime: Infinity, // two hashes never differ otherwise tomorrow
  });
}

export function useCatalogue() {
  return useQuery({
    queryKey: keys.catalogue,
    queryFn: () =>
      everyPage((after) => unwrap(api.GET("/v1/catalogue", { params: { query: { limit: ALL, ...(after ? { after } : {}) } } }))),
  });
}

export function useInstallAgent() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["Install"]) => unwrap(api.POST("/v1/agents/install", { body })),
    onSuccess: () => cache.invalidateQueries({ queryKey: keys.agents.all }),
  });
}

export function useCreateAgent() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: NewAgent) => unwrap(api.POST("/v1/agents", { body })),
    onSuccess: () => cache.invalidateQueries({ queryKey: keys.agents.all }),
  });
}

export interface AgentEdit {
  change: AgentChange;
  /** All the tools it is to have; left out, they stay. */
  tools?: ToolChoice[];
  /** `updated_at` of the agent that was edited; the change is refused when somebody else was quicker. */
  seen?: string;
  /** The agent is changed, its tools not yet: what `seen` is from now on. */
  onChanged?: (agent: Agent) => void;
}

/** Changes an agent, then its tools. Refused with `wrong_state` (409) when it was changed meanwhile. */
export function useUpdateAgent(id: string) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: async ({ change, tools, seen, onChanged }: AgentEdit) => {
      const path = { agent_id: id };
      const header = seen ? { "if-match": `"${seen}"` } : {};
      const agent = await unwrap(api.PATCH("/v1/agents/{agent_id}", { params: { path, header }, body: change }));
      onChanged?.(agent);
      if (!tools) return agent;
      await unwrap(api.PUT("/v1/agents/{agent_id}/tools", { params: { path }, body: { tools } }));
      return unwrap(api.GET("/v1/agents/{agent_id}", { params: { path } }));
    },
    onSuccess: (agent) => {
      cache.setQueryData(keys.agents.one(id), agent);
    },
    onSettled: () => cache.invalidateQueries({ queryKey: keys.agents.all }),
  });
}

export function useDeleteAgent() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => unwrap(api.DELETE("/v1/agents/{agent_id}", { params: { path: { agent_id: id } } })),
    onSuccess: (_, id) => {
      cache.removeQueries({ queryKey: keys.agents.one(id) });
      return Promise.all([
        cache.invalidateQueries({ queryKey: keys.agents.lists }),
        cache.invalidateQueries({ queryKey: keys.channels.all }),
      ]);
    },
  });
}

/** Your private channel with this agent, made at the first call. */
export function useOpenDirect() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => unwrap(api.POST("/v1/agents/{agent_id}/direct", { params: { path: { agent_id: id } } })),
    onSuccess: () => cache.invalidateQueries({ queryKey: keys.channels.lists }),
  });
}

export interface TrialRequest {
  agent: NewAgent;
  content: string;
  /** The agent that is edited; null for a new one. */
  agentId: string | null;
  /** The trial to go on with; null begins anew. */
  threadId: string | null;
}

/** Runs a draft on a message without saving it. Its answer is followed like any other (useReply). */
export function useTryAgent() {
  return useMutation({
    mutationFn: ({ agent, content, agentId, threadId }: TrialRequest) =>
      unwrap(api.POST("/v1/agents/try", { body: { agent, content, agent_id: agentId, thread_id: threadId } })),
  });
}
