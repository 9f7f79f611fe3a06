/** Saying that one is typing, and hearing who is. */
import { useCallback, useEffect, useRef, useState } from "react";

import { fade, heard, nextFade, SEND_EVERY_MS, type Typing } from "@/lib/typing";

import { api } from "./client";
import { useLive } from "./live";

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

  return Object.keys(state.typing);
}

