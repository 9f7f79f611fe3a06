import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo, useRef, useState } from "react";

import { useChannelMembers } from "@/api/channels";
import { useMe } from "@/api/me";
import { loadNewer, loadOlder, useHistory } from "@/api/messages";
import { useOutbox } from "@/api/outbox";
import { useTurns } from "@/api/turns";
import { rows } from "@/lib/rows";
import { notifyError } from "@/ui/notify";

import { expectedAgents } from "./expected";
import type { TalkRow } from "./MessageList";

/** All that is shown of a conversation, in order, and what loads more of it. */
export function useTalk(channelId: string, around: string | null, readSeq: number | null) {
  const me = useMe().data?.user.id ?? null;
  const history = useHistory(channelId, around);
  const messages = history.data?.items;
  const turns = useTurns(channelId, messages?.[0]?.created_at ?? null);
  const all = useOutbox(channelId);
  const members = useChannelMembers(channelId).data;
  const present = !history.data?.newer;
  const made = useMemo((): readonly TalkRow[] => {
    const outgoing = all.filter((one) => !one.replyTo);
    const expected = expectedAgents(outgoing, members ?? []);
    return rows({ messages: messages ?? [], turns, outgoing, expected, readSeq, me, present });
  }, [messages, turns, all, members, readSeq, me, present]);
  return { me, history, rows: made, present, sending: all.length, ...useEdges(channelId) };
}

/** Loading at either end, one at a time; a failure says so and is tried again with the next scroll. */
function useEdges(channelId: string) {
  const client = useQueryClient();
  const busy = useRef(false);
  const [failed, setFailed] = useState(false);
  const load = useCallback(
    async (more: typeof loadOlder) => {
      if (busy.current) return;
      busy.current = true;
      try {
        await more(client, channelId);
        setFailed(false);
      } catch (error) {
        setFailed((before) => {
          if (!before) notifyError(error, "Couldn't load more messages");
          return true;
        });
        await new Promise((done) => setTimeout(done, 2_000));
      } finally {
        busy.current = false;
      }
    },
    [client, channelId],
  );
  const onOlder = useCallback(() => void load(loadOlder), [load]);
  const onNewer = useCallback(() => void load(loadNewer), [load]);
  return { onOlder, onNewer, failed };
}
