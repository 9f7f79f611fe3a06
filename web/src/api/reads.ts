/** How far one has read: only forwards, and never while the window is elsewhere. */
import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef } from "react";

import { ReadMark } from "@/lib/readmark";

import { api, unwrap } from "./client";
import type { Channel } from "./channels";
import { keys } from "./keys";

type ReadFields = Pick<Channel, "read_seq" | "unread" | "mentions_unread">;

function take(client: QueryClient, channelId: string, read: ReadFields): void {
  const change = (channel: Channel): Channel => (channel.id === channelId ? { ...channel, ...read } : channel);
  client.setQueryData<Channel>(keys.channels.one(channelId), (channel) => channel && change(channel));
  client.setQueryData<Channel[]>(keys.channels.list({ archived: false }), (all) => all?.map(change));
}

async function tell(client: QueryClient, channelId: string, seq: number): Promise<void> {
  const known = client.getQueryData<Channel>(keys.channels.one(channelId));
  if (known && known.read_seq >= seq) return;
  const params = { path: { channel_id: channelId } };
  const read = await unwrap(api.PUT("/v1/channels/{channel_id}/read", { params, body: { seq } }));
  take(client, channelId, { read_seq: read.read_seq, unread: read.unread, mentions_unread: read.mentions_unread });
}

/** Tells the server that everything up to `seq` was seen. Call it as often as you like. */
export function useMarkRead(channelId: string): (seq: number) => void {
  const client = useQueryClient();
  const mark = useRef<ReadMark | null>(null);
  const seen = useRef(0);

  useEffect(() => {
    const own = new ReadMark((seq) => tell(client, channelId, seq), () => document.hasFocus());
    const onFocus = () => own.later();
    mark.current = own;
    if (seen.current > 0) own.see(seen.current); // said before this effect ran
    window.addEventListener("focus", onFocus);
    return () => {
      window.removeEventListener("focus", onFocus);
      own.leave(); // leaving before the pause is over still counts as read
      mark.current = null;
      seen.current = 0;
    };
  }, [client, channelId]);

  return useCallback((seq: number) => {
    seen.current = Math.max(seen.current, seq);
    mark.current?.see(seq);
  }, []);
}
