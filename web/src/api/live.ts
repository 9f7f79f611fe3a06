/**
 * The one live connection of the app (`GET /v1/live`). An event makes cached answers stale (topics.ts) and is told to
 * whoever subscribed; it never carries data. After every reconnection everything is asked again, so nothing is missed.
 */
import type { Query, QueryClient, QueryKey } from "@tanstack/react-query";
import { useEffect, useRef, useSyncExternalStore } from "react";

import { api, unwrap } from "./client";
import { freshen } from "./freshen";
import { type LiveEvent, parse, Refresher, stale, type Topic, TOPICS } from "./topics";

export type { LiveEvent, Topic } from "./topics";

/** `open` is well; `connecting` is the first try; `waiting` has lost the server and tries again by itself. */
export type Connection = "idle" | "connecting" | "open" | "waiting" | "offline";

const PAUSE = 120;
const FIRST = 400;
const LONGEST = 10_000;
const SILENCE = 45_000; // the server says something at least every 15 seconds

type Listener = (event: LiveEvent) => void;

const listeners = new Set<Listener>();
const watchers = new Set<() => void>();
let connection: Connection = "idle";

function become(next: Connection): void {
  if (next === connection) return;
  connection = next;
  watchers.forEach((each) => each());
}

/** Hears every event until the returned function is called. */
export function onLive(listener: Listener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Calls `handler` for each event of these topics while the component is shown. */
export function useLive(topics: Topic | readonly Topic[], handler: Listener): void {
  const latest = useRef(handler);
  useEffect(() => {
    latest.current = handler;
  });
  const wanted = typeof topics === "string" ? topics : topics.join(" ");
  useEffect(() => {
    const among = new Set(wanted.split(" "));
    return onLive((event) => {
      if (among.has(event.topic)) latest.current(event);
    });
  }, [wanted]);
}

/** How the connection is. */
export function useConnection(): Connection {
  return useSyncExternalStore(
    (watch) => {
      watchers.add(watch);
      return () => void watchers.delete(watch);
    },
    () => connection,
  );
}

/** Queries that follow live events by themselves say `meta: { live: false }` and are left alone. */
function follows(query: Query): boolean {
  return query.meta?.["live"] !== false;
}

/** Opens the connection and keeps it, until the returned function is called. Call it once, when signed in. */
export function startLive(client: QueryClient): () => void {
  const refresher = new Refresher(
    (queryKey: QueryKey) => freshen(client, queryKey, follows),
    () => new Promise((done) => setTimeout(done, PAUSE)),
  );
  const tell = (event: LiveEvent) => {
    if (event.topic === "resync") void resync(client);
    else stale(event).forEach((key) => refresher.ask(key));
    listeners.forEach((each) => each(event));
  };
  return keep(tell);
}

/** Ask everything again. What was under way when it came may be older than the connection: that is asked twice. */
async function resync(client: QueryClient): Promise<void> {
  const cache = client.getQueryCache();
  const under = cache.findAll({ fetchStatus: "fetching", predicate: follows });
  await client.invalidateQueries({ predicate: follows }, { cancelRefetch: false });
  await Promise.all(under.map(({ queryKey }) => client.invalidateQueries({ queryKey, exact: true })));
}

/** Connects, and again whenever the connection ends, falls silent, or the network comes back. */
function keep(tell: Listener): () => void {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let tries = 0;

  const close = () => {
    source?.close();
    source = undefined;
    clearTimeout(timer);
  };
  const later = () => {
    close();
    become(navigator.onLine ? "waiting" : "offline");
    const wait = Math.min(LONGEST, FIRST * 2 ** tries) * (0.75 + Math.random() / 2);
    tries += 1;
    if (tries === 2) void unwrap(api.GET("/v1/me")).catch(() => undefined); // a session that is over says so here
    timer = setTimeout(open, wait);
  };
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(later, SILENCE);
  };
  const onMessage = (message: MessageEvent<string>) => {
    heard();
    const event = parse(message.data);
    if (!event) return;
    if (event.topic === "resync") {
      tries = 0;
      become("open");
    }
    tell(event);
  };
  function open(): void {
    close();
    if (connection === "idle") become("connecting");
    source = new EventSource("/v1/live");
    source.onerror = later;
    TOPICS.forEach((topic) => source?.addEventListener(topic, onMessage));
    source.addEventListener("alive", heard);
    timer = setTimeout(later, SILENCE);
  }
  const atOnce = () => {
    if (connection !== "open") open();
  };
  const onVisible = () => {
    if (document.visibilityState === "visible") atOnce();
  };

  window.addEventListener("online", atOnce);
  window.addEventListener("offline", later);
  document.addEventListener("visibilitychange", onVisible);
  open();
  return () => {
    close();
    become("idle");
    window.removeEventListener("online", atOnce);
    window.removeEventListener("offline", later);
    document.removeEventListener("visibilitychange", onVisible);
  };
}
