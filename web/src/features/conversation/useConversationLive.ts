import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";

import { freshen } from "@/api/freshen";
import { useLive } from "@/api/live";
import { historyKey, refetchMessage, rereadHistory } from "@/api/messages";
import { Refresher } from "@/api/topics";
import { refetchTurn, refreshTurns } from "@/api/turns";

const PAUSE_MS = 50;

/** Brings in what happens in a channel while it is open: only what is new, or the one thing that changed. */
export function useConversationLive(channelId: string): void {
  const client = useQueryClient();
  const history = useMemo(
    () =>
      new Refresher(
        (queryKey) => freshen(client, queryKey),
        () => new Promise((done) => setTimeout(done, PAUSE_MS)),
      ),
    [client],
  );
  useLive("channel", ({ id }) => {
    if (id === channelId) history.ask(historyKey(channelId));
  });
  useLive("message", ({ id, scope }) => {
    if (scope === channelId) void refetchMessage(client, channelId, id).catch(() => undefined);
  });
  useLive(["interaction", "thinking"], ({ id, scope }) => {
    if (scope === channelId) void refetchTurn(client, channelId, id).catch(() => undefined);
  });
  useLive("resync", () => {
    void refreshTurns(client, channelId);
    void rereadHistory(client, channelId).catch(() => undefined);
  });
  useEffect(() => () => void client.cancelQueries({ queryKey: historyKey(channelId) }), [client, channelId]);
}
