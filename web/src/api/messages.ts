/**
 * What was said in a channel: its history, one message, the replies of a thread, and saying something.
 *
 * A history is one stretch of messages in the query cache (see lib/history.ts). Being invalidated, it fetches the newest
 * page and joins it: nothing that is loaded is fetched again, however long it is.
 */
import { useMutation, useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useCallback } from "react";

import { append, newest, prepend, refresh, replace, trim, upsert, type Fetched, type History } from "@/lib/history";

import { api, ApiError, unwrap, type Schemas } from "./client";
import { keys } from "./keys";

export type Message = Schemas["Message"];
export type Said = History<Message>;

const PAGE = 50;
const AROUND = 60;
const MOST = 200;
/** So many messages are kept of a channel whose end is being read; fewer where they are long. */
const KEPT = { messages: 400, characters: 128 * 1024, least: 16 };

export function historyKey(channel: string) {
  return keys.messages.list(channel, { top_level: true });
}

interface Range {
  order?: "newest" | "oldest";
  after_seq?: number;
  before_seq?: number;
  around?: string;
  reply_to?: string;
  limit?: number;
}

async function fetchRange(channel: string, range: Range): Promise<Fetched<Message>> {
  const query = { limit: PAGE, ...(range.reply_to ? {} : { top_level: true }), ...range };
  const params = { path: { channel_id: channel }, query };
  const page = await unwrap(api.GET("/v1/channels/{channel_id}/messages", { params }));
  return { items: page.data, more: page.next !== null };
}

async function fetchAround(channel: string, message: string): Promise<Said> {
  const { items } = await fetchRange(channel, { around: message, limit: AROUND });
  const seqs = items.map((item) => item.seq);
  const [older, newer] = await Promise.all([
    fetchRange(channel, { before_seq: Math.min(...seqs), limit: 1 }),
    fetchRange(channel, { after_seq: Math.max(...seqs), limit: 1 }),
  ]);
  return { ...newest({ items, more: older.items.length > 0 }), newer: newer.items.length > 0 };
}

async function begin(channel: string, around: string | null): Promise<Said> {
  if (around) {
    try {
      return await fetchAround(channel, around);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error; // it is gone: read the present instead
    }
  }
  return newest(await fetchRange(channel, {}));
}

/** The history of a channel as far as it is loaded; it begins at the present, or around one message. */
export function useHistory(channel: string, around: string | null = null) {
  const client = useQueryClient();
  const key = historyKey(channel);
  return useQuery({
    queryKey: key,
    queryFn: async (): Promise<Said> => {
      if (!client.getQueryData<Said>(key)) return begin(channel, around);
      const page = await fetchRange(channel, {});
      const known = client.getQueryData<Said>(key);
      return known ? refresh(known, page) : newest(page);
    },
    staleTime: 0, // after an absence
    structuralSharing: false,
    meta: { live: false },
  });
}

export function readHistory(client: QueryClient, channel: string): Said | undefined {
  return client.getQueryData<Said>(historyKey(channel));
}

function change(client: QueryClient, channel: string, by: (history: Said) => Said): void {
  client.setQueryData<Said>(historyKey(channel), (history) => history && by(history));
}

/** Loads what was said before. Resolves when it is there. */
export async function loadOlder(client: QueryClient, channel: string): Promise<void> {
  const first = readHistory(client, channel)?.items[0];
  if (!first) return;
  const page = await fetchRange(channel, { before_seq: first.seq });
  change(client, channel, (history) => prepend(history, page));
}

/** Loads what was said after, for a reader of the past. */
export async function loadNewer(client: QueryClient, channel: string): Promise<void> {
  const last = readHistory(client, channel)?.items.at(-1);
  if (!last) return;
  const page = await fetchRange(channel, { after_seq: last.seq, order: "oldest" });
  change(client, channel, (history) => append(history, page));
}

/** Goes to one message, or with null to the present. Resolves when it is loaded. */
export async function jump(client: QueryClient, channel: string, message: string | null): Promise<void> {
  const loaded = readHistory(client, channel);
  if (message ? loaded?.items.some((item) => item.id === message) : loaded && !loaded.newer) return;
  const history = await begin(channel, message);
  client.setQueryData<Said>(historyKey(channel), history);
}

/** After an absence, everything that is loaded is asked again: what was edited or deleted meanwhile, then what is new. */
export async function rereadHistory(client: QueryClient, channel: string): Promise<void> {
  const loaded = readHistory(client, channel);
  for (let end = loaded?.items.length ?? 0; loaded && end > PAGE; end -= MOST) {
    const last = loaded.items[end - 1];
    if (!last) break;
    const { items } = await fetchRange(channel, { before_seq: last.seq + 1, limit: Math.min(MOST, end) });
    change(client, channel, (history) => replace(history, items));
  }
  await client.invalidateQueries({ queryKey: historyKey(channel) });
}

export function trimHistory(client: QueryClient, channel: string): void {
  change(client, channel, (history) => (history.newer ? history : trim(history, KEPT)));
}

/** One message as it is now, wherever it is shown. */
export function takeMessage(client: QueryClient, message: Message): void {
  client.setQueryData<Message>(keys.messages.one(message.channel_id, message.id), (known) => known && message);
  const root = message.reply_to;
  if (!root) change(client, message.channel_id, (history) => upsert(history, message));
  const threads = [...keys.messages.of(message.channel_id), "thread"];
  client.setQueriesData<readonly Message[]>({ queryKey: threads }, (replies) =>
    replies?.some((one) => one.id === message.id) ? replies.map((one) => (one.id === message.id ? message : one)) : replies,
  );
  if (root) void client.invalidateQueries({ queryKey: threads });
}

async function fetchMessage(channel: string, message: string): Promise<Message> {
  const params = { path: { channel_id: channel, message_id: message } };
  return unwrap(api.GET("/v1/channels/{channel_id}/messages/{message_id}", { params }));
}

/** Fetches one message again, after news of it. */
export async function refetchMessage(client: QueryClient, channel: string, message: string): Promise<void> {
  takeMessage(client, await fetchMessage(channel, message));
}

export function useMessage(channel: string, message: string) {
  const client = useQueryClient();
  return useQuery({
    queryKey: keys.messages.one(channel, message),
    queryFn: () => fetchMessage(channel, message),
    placeholderData: () => readHistory(client, channel)?.items.find((one) => one.id === message),
    staleTime: 60_000,
  });
}

/** The replies of a thread, oldest first. */
export function useReplies(channel: string, message: string) {
  return useQuery({
    queryKey: keys.messages.thread(channel, message),
    queryFn: async (): Promise<readonly Message[]> => {
      const found: Message[] = [];
      let more = true;
      while (more) {
        const after = found.at(-1)?.seq;
        const range = { reply_to: message, order: "oldest", limit: MOST, ...(after ? { after_seq: after } : {}) } as const;
        const page = await fetchRange(channel, range);
        found.push(...page.items);
        more = page.more && page.items.length > 0;
      }
      return found;
    },
  });
}

// ── changing ───────────────────────────────────────────────────────────────────────────────────────────────────────

export function useEditMessage(channel: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ messageId, content }: { messageId: string; content: string }) => {
      const params = { path: { channel_id: channel, message_id: messageId } };
      return unwrap(api.PATCH("/v1/channels/{channel_id}/messages/{message_id}", { params, body: { content } }));
    },
    onSuccess: (message) => takeMessage(client, message),
  });
}

/** Takes a message back, at once for the eye. `onDone` is called with what brings it back; `onError` when it failed. */
export function useDeleteMessage(channel: string) {
  const client = useQueryClient();
  return useCallback(
    async (message: Message): Promise<() => Promise<void>> => {
      const params = { path: { channel_id: channel, message_id: message.id } };
      takeMessage(client, { ...message, status: "deleted", content: "" });
      try {
        await unwrap(api.DELETE("/v1/channels/{channel_id}/messages/{message_id}", { params }));
      } catch (error) {
        takeMessage(client, message);
        throw error;
      }
      return async () => {
        const path = "/v1/channels/{channel_id}/messages/{message_id}/restore";
        takeMessage(client, await unwrap(api.POST(path, { params })));
      };
    },
    [client, channel],
  );
}

/** The first message after a place, to go to. */
export async function firstUnread(channel: string, seq: number): Promise<string | null> {
  const { items } = await fetchRange(channel, { after_seq: seq, order: "oldest", limit: 1 });
  return items[0]?.id ?? null;
}

/** A reader who left while in the past comes back to the present. */
export function forgetPast(client: QueryClient, channel: string): void {
  if (readHistory(client, channel)?.newer) client.removeQueries({ queryKey: historyKey(channel), exact: true });
}
