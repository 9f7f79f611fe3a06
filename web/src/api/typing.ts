/** Saying that one is typing, and hearing who is. */
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";

import { fade, finished, heard, nextFade, SEND_EVERY_MS, type Typing } from "@/lib/typing";

import { api } from "./client";
import { keys } from "./keys";
import { useLive } from "./live";
import type { Message } from "./messages";

/** Tells the others, at most every three seconds; call it at each change of the text. A loss does not matter. */
export function useSayTyping(channelId: string): () => void {
  const last = useRef(0);
  useEffect(() => {
    last.current = 0;
  }, [channelId]);
  return useCallback(() => {
    const now = Date.now();
    if (now - last.current < SEND_EVERY_MS) return;
    last.current = now;
    const params = { path: { channel_id: channelId } };
    void api.POST("/v1/channels/{channel_id}/typing", { params }).catch(() => undefined);
  }, [channelId]);
}

/** The ids of the people who are typing in the channel now. */
export function useTyping(channelId: string): readonly string[] {
  const [state, setState] = useState<{ channelId: string; typing: Typing }>({ channelId, typing: {} });
  if (state.channelId !== channelId) setState({ channelId, typing: {} });
  const change = useCallback((by: (typing: Typing) => Typing) => {
    setState((now) => {
      const typing = by(now.typing);
      return typing === now.typing ? now : { ...now, typing };
    });
  }, []);

  useLive("typing", ({ id, scope }) => {
    if (scope === channelId) change((typing) => heard(typing, id, Date.now()));
  });

  const next = nextFade(state.typing);
  useEffect(() => {
    if (next === null) return;
    const timer = setTimeout(() => change((typing) => fade(typing, Date.now())), Math.max(0, next - Date.now()) + 20);
    return () => clearTimeout(timer);
  }, [next, change]);

  const someone = next !== null;
  const finish = useCallback((userId: string) => change((typing) => finished(typing, userId)), [change]);
  useNewMessages(channelId, someone, finish);
  return Object.keys(state.typing);
}

const LATELY = 5;

/** Calls `from` with the author of each message that comes while `wanted`: who has said it types no longer. */
function useNewMessages(channelId: string, wanted: boolean, from: (userId: string) => void): void {
  const client = useQueryClient();
  useEffect(() => {
    if (!wanted) return;
    const queryKey = keys.messages.of(channelId);
    const known = new Set(latest(client.getQueriesData({ queryKey })).map((message) => message.id));
    return client.getQueryCache().subscribe(({ type, query }) => {
      const key = query.queryKey as readonly unknown[];
      if (type !== "updated" || key[0] !== queryKey[0] || key[1] !== channelId) return;
      for (const message of latest([[query.queryKey, query.state.data]])) {
        if (!known.has(message.id) && message.user_id) from(message.user_id);
        known.add(message.id);
      }
    });
  }, [client, channelId, wanted, from]);
}

/** The last few messages of each list, be it a history or a thread. */
function latest(lists: readonly (readonly [unknown, unknown])[]): Message[] {
  return lists.flatMap(([, data]) => itemsOf(data).slice(-LATELY).filter(isMessage));
}

function itemsOf(data: unknown): readonly unknown[] {
  if (Array.isArray(data)) return data;
  return typeof data === "object" && data !== null && "items" in data ? itemsOf(data.items) : [];
}

function isMessage(item: unknown): item is Message {
  return typeof item === "object" && item !== null && "seq" in item && "user_id" in item;
}
