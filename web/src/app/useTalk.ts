import { useNavigate } from "@tanstack/react-router";

import { type Agent, useOpenDirect } from "@/api/agents";
import { notifyError } from "@/ui/notify";

/** Goes to one's own conversation with an agent; it is made the first time. */
export function useTalk(): (agent: Agent) => void {
  const open = useOpenDirect();
  const navigate = useNavigate();
  // a promise and not the mutation's callbacks: those are dropped when whoever asked is no longer shown
  return (agent) => {
    open.mutateAsync(agent.id).then(
      ({ id }) => navigate({ to: "/channels/$channelId", params: { channelId: id } }),
      (error: unknown) => notifyError(error, `Couldn't open the conversation with ${agent.name}`),
    );
  };
}
