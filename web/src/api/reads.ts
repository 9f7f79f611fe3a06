/** How far one has read. Only forwards, at most one request at a time, and never while the window is elsewhere. */
import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef } from "react";

import { api, unwrap } from "./client";
import type { Channel } from "./channels";
import { keys } from "./keys";

const PAUSE = 600;

function known(client: QueryClient, channelId: string): Channel | undefined {
  return client.getQueryData<Channel>(keys.channels.one(channelId));
}

type ReadFields = Pick<Channel, "read_seq" | "unread" | "mentions_unread">;

function take(client: QueryClient, channelId: string, read: ReadFields): void {
  const change = (channel: Channel): Channel => (channel.id === channelId ? { ...channel, ...read } : channel);
  client.setQueryData<Channel>(keys.channels.one(channelId), (channel) => channel && change(channel));
  client.setQueryData<Channel[]>(keys.channels.list({ archived: false }), (all) => all?.map(change));
}

/** Tells the server that everything up to `seq` was seen. Call it as often as you like. */
export function useMarkRead(channelId: string): (seq: number) => void {
  const client = useQueryClient();
  const state = useRef({ wanted: 0, sent: 0, busy: false, timer: undefined as ReturnType<typeof setTimeout> | undefined });

  const send = useCallback(async () => {
    const now = state.current;
    const behind = Math.max(now.sent, known(client, channelId)?.read_seq ?? 0);
    if (now.busy || now.wanted <= behind || !document.hasFocus()) return;
    const seq = now.wanted;
    now.busy = true;
    try {
      const params = { path: { channel_id: channelId } };
      const read = await unwrap(api.PUT("/v1/channels/{channel_id}/read", { params, body: { seq } }));
      now.sent = seq;
      take(client, channelId, { read_seq: read.read_seq, unread: read.unread, mentions_unread: read.mentions_unread });
    } catch {
      // it is said again with the next message that is seen
    } finally {
      now.busy = false;
    }
  }, [client, channelId]);

  const later = useCallback(() => {
    const now = state.current;
    clearTimeout(now.timer);
    now.timer = setTimeout(() => void send(), PAUSE);
  }, [send]);

  useEffect(() => {
    const now = state.current;
    now.wanted = 0;
    now.sent = 0;
    window.addEventListener("focus", later);
    return () => {
      window.removeEventListener("focus", later);
      clearTimeout(now.timer);
      void send(); // leaving the channel before the pause is over still counts as read
    };
  }, [later, send]);

  return useCallback(
    (seq: number) => {
      if (seq <= state.current.wanted) return;
      state.current.wanted = seq;
      later();
    },
    [later],
  );
}
