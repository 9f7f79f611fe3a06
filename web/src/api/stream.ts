/**
 * Following a reply as it streams: one connection per turn under way, resumed after the last piece that was seen.
 *
 * Whatever happens to the server or the network, it comes back until the turn has ended. The reply lives in the query
 * cache, drawn at most once a frame; browsers give a page few connections, so only some turns are followed at a time,
 * and none while the page is hidden.
 */
import { skipToken, useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useEffect } from "react";

import { backoff, SseReader } from "@/lib/sse";
import { EMPTY, lastEventId, reduceAll, reopen, told, type Reply, type StreamEvent } from "@/lib/stream";

import { BRIEFLY, putBriefly } from "./brief";
import { ApiError, checked } from "./client";
import { readHistory, takeMessage, type Message } from "./messages";
import { endTurn, refetchTurn } from "./turns";

const AT_ONCE = 3;
/** Without a sign of life for so long (the server gives one every 15 s) a connection is taken for dead. */
const SILENCE_MS = 40_000;

function replyKey(turn: string) {
  return ["replies", turn] as const;
}

/** The reply of a turn as far as it has come; followed while `live`. */
export function useReply(channel: string, turn: string | null, live: boolean): Reply | null {
  const client = useQueryClient();
  useEffect(() => (turn && live ? follow(client, channel, turn) : undefined), [client, channel, turn, live]);
  const { data } = useQuery<Reply>({ queryKey: replyKey(turn ?? ""), queryFn: skipToken, staleTime: Infinity, gcTime: BRIEFLY });
  return data ?? null;
}

interface Following {
  readers: number;
  stop: AbortController;
}

const followed = new Map<string, Following>();

function follow(client: QueryClient, channel: string, turn: string): () => void {
  const found = followed.get(turn);
  const following = found ?? { readers: 0, stop: new AbortController() };
  following.readers += 1;
  if (!found) {
    followed.set(turn, following);
    const known = client.getQueryData<Reply>(replyKey(turn));
    putBriefly(client, replyKey(turn), known ? reopen(known) : EMPTY);
    void run(client, channel, turn, following.stop.signal);
  }
  return () => {
    following.readers -= 1;
    if (following.readers > 0) return;
    followed.delete(turn);
    following.stop.abort();
  };
}

async function run(client: QueryClient, channel: string, turn: string, signal: AbortSignal): Promise<void> {
  const take = batched((events) => {
    if (signal.aborted) return;
    client.setQueryData<Reply>(replyKey(turn), (known) => reduceAll(known ?? EMPTY, events));
    settle(client, channel, turn);
  });
  const position = () => lastEventId(client.getQueryData<Reply>(replyKey(turn)) ?? EMPTY);
  const ended = () => Boolean(client.getQueryData<Reply>(replyKey(turn))?.end);
  let failures = 0;
  while (!signal.aborted && !ended()) {
    try {
      await visible(signal);
      const heard = await seat(signal, () => connect(turn, position(), take, signal));
      take.flush();
      failures = heard ? 0 : failures + 1;
    } catch (error) {
      take.flush();
      if (error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429) break;
      failures += 1;
    }
    if (!ended()) await pause(backoff(Math.min(failures, 3)), signal);
  }
}

/**
 * What the end of a reply changes elsewhere: its message joins the history, its turn has a state. Once both stand there,
 * what came in over the stream is the same again and is let go.
 */
function settle(client: QueryClient, channel: string, turn: string): void {
  const reply = client.getQueryData<Reply>(replyKey(turn));
  if (!reply?.end) return;
  if (isMessage(reply.message)) takeMessage(client, reply.message);
  endTurn(client, channel, turn, reply.end);
  const { messageId } = reply.end;
  const letGo = () => {
    if (!readHistory(client, channel)?.items.some((item) => item.id === messageId)) return;
    client.setQueryData<Reply>(replyKey(turn), (known) => known && told(known));
  };
  void refetchTurn(client, channel, turn).then(letGo, () => undefined);
}

function isMessage(value: unknown): value is Message {
  return typeof value === "object" && value !== null && "seq" in value && "channel_id" in value;
}

/** One connection, to its end. True when anything was heard. Throws when it could not be made or broke. */
async function connect(turn: string, after: string | null, take: Take, signal: AbortSignal): Promise<boolean> {
  const own = new AbortController();
  const cut = () => own.abort();
  signal.addEventListener("abort", cut);
  document.addEventListener("visibilitychange", cut);
  let silence = setTimeout(cut, SILENCE_MS);
  try {
    const headers = { Accept: "text/event-stream", ...(after ? { "Last-Event-ID": after } : {}) };
    const response = await checked(fetch(`/v1/interactions/${turn}/stream`, { headers, signal: own.signal }));
    const pieces = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const reader = new SseReader();
    let heard = false;
    for (;;) {
      const piece = await pieces?.read();
      if (!piece || piece.done) return heard;
      clearTimeout(silence);
      silence = setTimeout(cut, SILENCE_MS);
      heard = true;
      take(reader.push(piece.value));
    }
  } finally {
    clearTimeout(silence);
    own.abort();
    signal.removeEventListener("abort", cut);
    document.removeEventListener("visibilitychange", cut);
  }
}

interface Take {
  (events: readonly StreamEvent[]): void;
  flush(): void;
}

/** Hands events on once a frame, however many come. */
function batched(then: (events: readonly StreamEvent[]) => void): Take {
  let waiting: StreamEvent[] = [];
  let frame = 0;
  const flush = () => {
    cancelAnimationFrame(frame);
    frame = 0;
    const events = waiting;
    waiting = [];
    if (events.length) then(events);
  };
  const take = (events: readonly StreamEvent[]) => {
    waiting.push(...events);
    if (waiting.length && !frame) frame = requestAnimationFrame(flush);
  };
  return Object.assign(take, { flush });
}

let seats = AT_ONCE;
const queue: (() => void)[] = [];

async function seat<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  if (seats <= 0) await new Promise<void>((resolve) => queue.push(resolve));
  seats -= 1;
  try {
    signal.throwIfAborted();
    return await work();
  } finally {
    seats += 1;
    queue.shift()?.();
  }
}

async function visible(signal: AbortSignal): Promise<void> {
  while (document.hidden && !signal.aborted) await next(document, "visibilitychange", signal);
}

function next(target: EventTarget, event: string, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      target.removeEventListener(event, done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    target.addEventListener(event, done);
    signal.addEventListener("abort", done);
  });
}

/** Waits; coming back online or into view ends it at once. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const woken = new AbortController();
  const wake = () => woken.abort();
  signal.addEventListener("abort", wake);
  window.addEventListener("online", wake);
  const timer = setTimeout(wake, ms);
  await next(woken.signal, "abort", woken.signal);
  clearTimeout(timer);
  signal.removeEventListener("abort", wake);
  window.removeEventListener("online", wake);
}
