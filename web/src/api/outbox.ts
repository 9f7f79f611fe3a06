/** Messages on their way: shown at once, sent with a key of their own so that trying again never says a thing twice. */
import { skipToken, useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useCallback } from "react";

import { backoff } from "@/lib/sse";

import { api, ApiError, unwrap, type Schemas } from "./client";
import { keys } from "./keys";
import { takeMessage } from "./messages";
import { expectTurns } from "./turns";

export interface Draft {
  content: string;
  replyTo?: string | null;
  files?: readonly { id: string; name: string; media_type: string; bytes: number }[];
  /** Agents addressed whatever their trigger mode. */
  to?: readonly string[];
}

export interface Outgoing extends Draft {
  key: string;
  created_at: string;
  /** Why it did not get through; null while it is on its way. */
  error: ApiError | null;
}

const TRIES = 5;
/** Worth another try by itself: nobody answered, or nobody could just now. */
const PASSING = new Set([0, 502, 503, 504]);

function outboxKey(channel: string) {
  return [...keys.messages.of(channel), "outbox"] as const;
}

export function useOutbox(channel: string): readonly Outgoing[] {
  const { data } = useQuery<readonly Outgoing[]>({
    queryKey: outboxKey(channel),
    queryFn: skipToken,
    staleTime: Infinity,
    gcTime: Infinity,
  });
  return data ?? NONE;
}

const NONE: readonly Outgoing[] = [];

function change(client: QueryClient, channel: string, by: (all: readonly Outgoing[]) => readonly Outgoing[]): void {
  client.setQueryData<readonly Outgoing[]>(outboxKey(channel), (all) => by(all ?? NONE));
}

/** Sends, and shows the message at once. Never throws: a failure stands at the message, with a way to try again. */
export function useSendMessage(channel: string): (draft: Draft) => void {
  const client = useQueryClient();
  return useCallback(
    (draft) => {
      const made = { ...draft, key: crypto.randomUUID(), created_at: new Date().toISOString(), error: null };
      change(client, channel, (all) => [...all, made]);
      void deliver(client, channel, made);
    },
    [client, channel],
  );
}

export function useOutboxActions(channel: string) {
  const client = useQueryClient();
  const retry = useCallback(
    (outgoing: Outgoing) => {
      const again = { ...outgoing, error: null };
      change(client, channel, (all) => all.map((one) => (one.key === outgoing.key ? again : one)));
      void deliver(client, channel, again);
    },
    [client, channel],
  );
  const discard = useCallback(
    (outgoing: Outgoing) => change(client, channel, (all) => all.filter((one) => one.key !== outgoing.key)),
    [client, channel],
  );
  return { retry, discard };
}

async function deliver(client: QueryClient, channel: string, outgoing: Outgoing): Promise<void> {
  try {
    const posted = await post(channel, outgoing);
    expectTurns(client, channel, posted.message, posted.interactions);
    takeMessage(client, posted.message);
    change(client, channel, (all) => all.filter((one) => one.key !== outgoing.key));
    if (outgoing.replyTo) void client.invalidateQueries({ queryKey: keys.messages.one(channel, outgoing.replyTo) });
  } catch (error) {
    const told = error instanceof ApiError ? error : new ApiError(0, "refused", "Not sent", "Try again in a moment.");
    change(client, channel, (all) => all.map((one) => (one.key === outgoing.key ? { ...one, error: told } : one)));
  }
}

async function post(channel: string, outgoing: Outgoing): Promise<Schemas["Posted"]> {
  const body = {
    content: outgoing.content,
    ...(outgoing.replyTo ? { reply_to: outgoing.replyTo } : {}),
    ...(outgoing.files?.length ? { files: outgoing.files.map((file) => file.id) } : {}),
    ...(outgoing.to?.length ? { to: [...outgoing.to] } : {}),
  };
  const params = { path: { channel_id: channel }, header: { "idempotency-key": outgoing.key } };
  for (let tried = 1; ; tried += 1) {
    try {
      return await unwrap(api.POST("/v1/channels/{channel_id}/messages", { params, body }));
    } catch (error) {
      if (tried >= TRIES || !(error instanceof ApiError) || !PASSING.has(error.status)) throw error;
      await new Promise((resolve) => setTimeout(resolve, backoff(tried)));
    }
  }
}
