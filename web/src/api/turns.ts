/** The turns of one channel: what agents are doing there now, and how their turns ended. Grows backwards with reading. */
import { useMutation, useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useEffect } from "react";

import { isLive } from "@/lib/rows";
import type { ReplyEnd } from "@/lib/stream";

import { BRIEFLY, putBriefly } from "./brief";
import { api, unwrap, type Schemas } from "./client";
import { keys } from "./keys";

export type TurnDetail = Schemas["InteractionView"];

/** What a conversation needs of a turn; all of it is known as soon as a message has started one. */
export type Turn = Pick<
  TurnDetail,
  | "id" | "agent_id" | "message_id" | "state" | "stop_reason" | "successor_id" | "error" | "error_detail" | "retries"
  | "created_at" | "ended_at"
>; // prettier-ignore

interface Turns {
  items: readonly Turn[];
  /** Where older ones go on; null where there are none. */
  next: string | null;
  /** The beginning of the oldest that was fetched. */
  since: string | null;
}

const PAGE = 50;
/** So many that ended well are kept: their replies say it all. */
const SUCCEEDED = 50;

/** Not among the lists that live events fetch again: the conversation listens for itself. */
function turnsKey(channel: string) {
  return [...keys.interactions.all, "of-channel", channel] as const;
}

async function fetchTurns(channel: string, after?: string): Promise<Turns> {
  const query = { channel_id: channel, limit: PAGE, ...(after ? { after } : {}) };
  const page = await unwrap(api.GET("/v1/interactions", { params: { query } }));
  return { items: page.data.map(inBrief), next: page.next, since: page.data.at(-1)?.created_at ?? null };
}

/** Without its steps and all else that a conversation does not show. */
function inBrief(turn: Turn): Turn {
  const { id, agent_id, message_id, state, stop_reason, successor_id, error, error_detail, retries, created_at, ended_at } = turn;
  return { id, agent_id, message_id, state, stop_reason, successor_id, error, error_detail, retries, created_at, ended_at };
}

/** Newest first; however long a conversation is open, only those are kept of which there is something to say. */
export function joined(known: readonly Turn[], fresh: readonly Turn[]): Turn[] {
  const byId = new Map(known.map((turn) => [turn.id, turn]));
  for (const turn of fresh) byId.set(turn.id, inBrief(turn));
  const all = [...byId.values()].sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at));
  let well = 0;
  return all.filter((turn) => turn.state !== "succeeded" || ++well <= SUCCEEDED);
}

/** Turns of the channel back to the moment `since`, newest first. */
export function useTurns(channel: string, since: string | null): readonly Turn[] {
  const client = useQueryClient();
  const { data } = useQuery({
    queryKey: turnsKey(channel),
    queryFn: async (): Promise<Turns> => {
      const fresh = await fetchTurns(channel);
      const known = client.getQueryData<Turns>(turnsKey(channel));
      return { ...(known?.since ? known : fresh), items: joined(known?.items ?? NONE, fresh.items) };
    },
    staleTime: 0, // after an absence
    meta: { live: false },
  });
  const next = data?.next ?? null;
  const oldest = data?.since ?? null;
  const missing = next !== null && since !== null && oldest !== null && Date.parse(since) < Date.parse(oldest);
  useEffect(() => {
    if (!missing) return;
    const left = new AbortController();
    void fetchTurns(channel, next).then(
      (older) => {
        if (left.signal.aborted) return;
        client.setQueryData<Turns>(turnsKey(channel), (known) =>
          known && { items: joined(known.items, older.items), next: older.next, since: older.since },
        );
      },
      () => undefined, // how old turns ended is not worth an error; the next look tries again
    );
    return () => left.abort();
  }, [client, channel, missing, next]);
  return data?.items ?? NONE;
}

const NONE: readonly Turn[] = [];

function change(client: QueryClient, channel: string, by: (items: readonly Turn[]) => readonly Turn[]): void {
  client.setQueryData<Turns>(turnsKey(channel), (known) => ({ next: null, since: null, ...known, items: by(known?.items ?? NONE) }));
}

/** The turns that a message has just started, before anything else is known of them. */
export function expectTurns(
  client: QueryClient,
  channel: string,
  message: { id: string; created_at: string },
  started: readonly Schemas["ReceivedInteraction"][],
): void {
  const fresh = started.map(({ id, agent_id, state }): Turn => ({
    id, agent_id, state: state as Turn["state"], message_id: message.id, stop_reason: null, successor_id: null,
    error: null, error_detail: null, retries: 0, created_at: message.created_at, ended_at: null,
  })); // prettier-ignore
  change(client, channel, (items) => joined(fresh, items));
}

/** Fetches one turn after news of it; it is then known in full. */
export async function refetchTurn(client: QueryClient, channel: string, id: string): Promise<void> {
  const turn = await fetchTurn(id);
  putBriefly(client, detailKey(id), turn);
  change(client, channel, (items) => joined(items, [turn]));
}

/** How a turn ended, as its stream has just said. */
export function endTurn(client: QueryClient, channel: string, id: string, end: ReplyEnd): void {
  change(client, channel, (items) =>
    items.map((turn) =>
      turn.id === id
        ? {
            ...turn,
            state: end.state,
            error: end.error,
            error_detail: end.detail,
            stop_reason: end.stopReason,
            successor_id: end.successorId,
            ended_at: turn.ended_at ?? new Date().toISOString(),
          }
        : turn,
    ),
  );
}

export function refreshTurns(client: QueryClient, channel: string): Promise<void> {
  return client.invalidateQueries({ queryKey: turnsKey(channel) });
}

async function fetchTurn(id: string): Promise<TurnDetail> {
  const turn = await unwrap(api.GET("/v1/interactions/{interaction_id}", { params: { path: { interaction_id: id } } }));
  return withoutAnswer(turn);
}

/** The answer stands in its message, and is not kept twice: of the steps only calls are, and the words before them. */
export function withoutAnswer<T extends Pick<TurnDetail, "steps">>(turn: T): T {
  const last = turn.steps?.findLastIndex((step) => step.kind === "act") ?? -1;
  return { ...turn, steps: turn.steps?.slice(0, last + 1) };
}

/** Beside the whole turn, which other pages read, and made stale together with it. */
function detailKey(id: string) {
  return [...keys.interactions.one(id), "told"] as const;
}

/** All of one turn: its calls, its cost. What has ended does not change and is not fetched again. */
export function useTurnDetail(id: string | null, enabled: boolean) {
  return useQuery({
    queryKey: detailKey(id ?? ""),
    queryFn: () => fetchTurn(id ?? ""),
    enabled: enabled && id !== null,
    gcTime: BRIEFLY,
    staleTime: (query) => (query.state.data && !isLive(query.state.data) ? Infinity : 0),
  });
}

// ── doing ──────────────────────────────────────────────────────────────────────────────────────────────────────────

export function useStopTurn(channel: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      unwrap(api.POST("/v1/interactions/{interaction_id}/cancel", { params: { path: { interaction_id: id } } })),
    onSettled: (_, __, id) => refetchTurn(client, channel, id),
  });
}

export function useRetryTurn(channel: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      unwrap(api.POST("/v1/interactions/{interaction_id}/retry", { params: { path: { interaction_id: id } } })),
    onSuccess: (turn) => {
      putBriefly(client, detailKey(turn.id), withoutAnswer(turn));
      change(client, channel, (items) => joined(items, [turn]));
    },
    onError: (_, id) => refetchTurn(client, channel, id),
  });
}

/** Says whether a call whose outcome nobody knows has happened. */
export function useAnswerOutcome(channel: string, turn: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ wait, ...answer }: { wait: string; happened: boolean; retry: boolean }) =>
      unwrap(api.POST("/v1/waits/{wait_id}/answer", { params: { path: { wait_id: wait } }, body: answer })),
    onSettled: () => {
      void client.invalidateQueries({ queryKey: keys.waits.all });
      return refetchTurn(client, channel, turn);
    },
  });
}
