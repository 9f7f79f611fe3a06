import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";

import { api, unwrap } from "@/api/client";
import { keys } from "@/api/keys";
import { notifyError } from "@/ui/notify";

interface Beginning {
  agentId: string;
  /** Empty: only open the conversation. */
  prompt: string;
}

/** Opens the conversation with an agent, says the first thing there, and goes to it. */
export function useBegin() {
  const navigate = useNavigate();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: async ({ agentId, prompt }: Beginning) => {
      const channel = await unwrap(api.POST("/v1/agents/{agent_id}/direct", { params: { path: { agent_id: agentId } } }));
      if (prompt) {
        const params = { path: { channel_id: channel.id } };
        await unwrap(api.POST("/v1/channels/{channel_id}/messages", { params, body: { content: prompt } }));
      }
      return channel;
    },
    onSuccess: (channel) => {
      void cache.invalidateQueries({ queryKey: keys.channels.lists });
      return navigate({ to: "/channels/$channelId", params: { channelId: channel.id } });
    },
    onError: (error) => notifyError(error, "Couldn't begin the conversation"),
  });
}
