/** What happens when one comes to another page: its title, and the focus at its beginning. */
import { useRouterState } from "@tanstack/react-router";
import { type RefObject, useEffect, useRef, useState } from "react";

import { useAgents } from "@/api/agents";
import { useChannels } from "@/api/channels";
import { useMe } from "@/api/me";
import { rememberChannel } from "@/lib/last";

import { type Names, titleOf } from "./titles";

export function useArrival(main: RefObject<HTMLElement | null>): { title: string; announcement: string } {
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const title = titleOf(path, useNames());
  const mentions = useMentions();
  useEffect(() => {
    document.title = `${mentions ? `(${String(mentions)}) ` : ""}${title} · Retinue`;
  }, [title, mentions]);
  useLastChannel(path);
  return { title, announcement: useFocus(main, path, title) };
}

function useNames(): Names {
  const { data: channels } = useChannels();
  const { data: agents } = useAgents();
  return {
    channel: (id) => channels?.find((each) => each.id === id)?.name,
    agent: (id) => agents?.find((each) => each.id === id)?.name,
  };
}

function useMentions(): number {
  const { data } = useChannels();
  return (data ?? []).reduce((sum, { mentions_unread }) => sum + mentions_unread, 0);
}

function useLastChannel(path: string): void {
  const user = useMe().data?.user.id;
  const channel = /^\/channels\/(ch_[^/]+)$/.exec(path)?.[1];
  useEffect(() => {
    if (user && channel) rememberChannel(user, channel);
  }, [user, channel]);
}

/** Where the browser itself began: there the focus is its own affair. */
const FIRST = window.location.pathname;

/** After a move the focus is on the page's beginning, unless the page has taken it itself; its title is announced. */
function useFocus(main: RefObject<HTMLElement | null>, path: string, title: string): string {
  const before = useRef(FIRST === "/" ? path : FIRST);
  const [arrived, setArrived] = useState(false);
  useEffect(() => {
    if (before.current === path) return;
    before.current = path;
    const timer = setTimeout(() => {
      setArrived(true);
      const page = main.current;
      if (!page || page.contains(document.activeElement) || document.querySelector("[role='dialog']")) return;
      page.focus({ preventScroll: true });
    }, 50);
    return () => clearTimeout(timer);
  }, [main, path]);
  return arrived ? title : "";
}
