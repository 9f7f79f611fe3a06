import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";

import { keys } from "@/api/keys";
import { useMe } from "@/api/me";
import type { Message } from "@/api/messages";
import { useStopTurn, useTurns, type Turn } from "@/api/turns";
import { notifyError } from "@/ui/notify";

/** A turn that was fetched says who started it; one that is only expected was started by the person here. */
type Started = Turn & { user_id?: string | null };

const UNDER_WAY = new Set(["queued", "running"]);

/** The turns one's own messages have started that are still under way: in the channel, or in one thread of it. */
export function useMyTurns(channelId: string, replyTo: string | null): { running: boolean; stop: () => void } {
  const client = useQueryClient();
  const me = useMe().data?.user.id;
  const turns = useTurns(channelId, null);
  const { mutate } = useStopTurn(channelId);
  const mine = useMemo(
    () =>
      turns.filter((turn: Started) => {
        if (!UNDER_WAY.has(turn.state) || !(turn.user_id === undefined || turn.user_id === me)) return false;
        const message = client.getQueryData<Message>(keys.messages.one(channelId, turn.message_id ?? ""));
        return (message?.reply_to ?? null) === replyTo;
      }),
    [turns, me, client, channelId, replyTo],
  );
  const stop = useCallback(() => {
    for (const turn of mine) mutate(turn.id, { onError: (error) => notifyError(error, "Couldn't stop the turn") });
  }, [mine, mutate]);
  return { running: mine.length > 0, stop };
}
