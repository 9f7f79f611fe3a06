import { useMemo } from "react";

import { useReplies } from "@/api/messages";
import { useTurns } from "@/api/turns";
import { isLive } from "@/lib/rows";

import { TurnItem } from "./TurnItem";

/** Turns under way, and those that failed or were stopped last, that answer in a thread. */
export function LiveTurns({ channelId, replyTo }: { channelId: string; replyTo: string }) {
  const turns = useTurns(channelId, null);
  const replies = useReplies(channelId, replyTo).data;
  const shown = useMemo(() => {
    const inside = new Set(replies?.map((reply) => reply.id));
    const answered = new Set(replies?.map((reply) => reply.interaction_id));
    return turns
      .filter((turn) => turn.message_id !== null && inside.has(turn.message_id) && !answered.has(turn.id))
      .filter((turn) => isLive(turn) || turn.state === "failed" || turn.state === "cancelled")
      .reverse();
  }, [turns, replies]);
  return shown.map((turn) => (
    <TurnItem key={turn.id} channelId={channelId} turnId={turn.id} agentId={turn.agent_id} turn={turn} inThread />
  ));
}
