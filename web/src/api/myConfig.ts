/** What one sets about an agent for oneself. It reaches the agent in one's own turns only. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { api, unwrap, type Schemas } from "./client";
import { keys } from "./keys";

export type MyConfig = Schemas["UserAgentConfig"];
export type MyConfigChange = Schemas["UserAgentConfigChange"];

export function useMyConfig(agentId: string) {
  return useQuery({
    queryKey: keys.agents.myConfig(agentId),
    queryFn: () => unwrap(api.GET("/v1/agents/{agent_id}/my-config", { params: { path: { agent_id: agentId } } })),
  });
}

/** Sets the parts that are named; the others stay. */
export function useSetMyConfig(agentId: string) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: MyConfigChange) =>
      unwrap(api.PUT("/v1/agents/{agent_id}/my-config", { params: { path: { agent_id: agentId } }, body })),
    onSuccess: (config) => {
      cache.setQueryData(keys.agents.myConfig(agentId), config);
    },
  });
}
