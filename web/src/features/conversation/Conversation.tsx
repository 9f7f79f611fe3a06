import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";

import type { Channel } from "@/api/channels";
import { forgetPast, jump, readHistory, trimHistory } from "@/api/messages";
import { useMarkRead } from "@/api/reads";
import { ErrorState } from "@/ui/ErrorState";
import { ListSkeleton } from "@/ui/ListSkeleton";
import { Mentions } from "@/ui/markdown/mentions";
import { notifyError } from "@/ui/notify";

import { Announcer } from "./Announcer";
import { useConversation } from "./context";
import classes from "./Conversation.module.css";
import { Beginning, NothingYet } from "./Empty";
import { MessageList, type ListHandle } from "./MessageList";
import { Pills } from "./Pills";
import { useConversationLive } from "./useConversationLive";
import { useDirectory } from "./useDirectory";
import { useTalk } from "./useTalk";

interface Props {
  channel: Channel;
  /** The message the address points to. */
  target: string | null;
}

/** The messages of a channel: read, followed, and gone through. */
export function Conversation({ channel, target }: Props) {
  const channelId = channel.id;
  const client = useQueryClient();
  const handle = useRef<ListHandle>(null);
  const [readSeq] = useState(channel.unread > 0 ? channel.read_seq : null);
  const talk = useTalk(channelId, target, readSeq);
  const { handles } = useDirectory();
  const { openThread, editLastOwn } = useConversation();
  const atBottom = useReading(channel, talk.rows.length);
  useConversationLive(channelId);
  useEffect(() => () => forgetPast(client, channelId), [client, channelId]);

  const goTo = useCallback(
    async (message: string | null) => {
      try {
        await jump(client, channelId, message);
      } catch (error) {
        notifyError(error, "Couldn't go there");
        return;
      }
      // once the rows stand on the page, and once more when they have their sizes
      const go = () => (message ? handle.current?.show(message) : handle.current?.toEnd());
      requestAnimationFrame(() => {
        go();
        requestAnimationFrame(go);
      });
    },
    [client, channelId],
  );
  const known = talk.history.data;
  const loaded = known !== undefined;
  useEffect(() => {
    if (target && loaded) void goTo(target);
  }, [target, loaded, goTo]);
  useEffect(() => {
    if (talk.sending > 0) void goTo(null); // what one says is in sight
  }, [talk.sending, goTo]);

  const onEdit = useCallback(() => void editLastOwn(), [editLastOwn]);
  const older = known?.older ?? true;
  const start = useMemo(() => <Beginning channel={channel} older={older} />, [channel, older]);

  if (talk.history.error && !known) {
    return (
      <div className={classes.instead}>
        <ErrorState error={talk.history.error} what="the messages" retry={() => void talk.history.refetch()} />
      </div>
    );
  }
  if (!known)
    return (
      <div className={classes.instead} data-loading>
        <ListSkeleton rows={8} height={56} avatar label="Loading messages" />
      </div>
    );
  return (
    <Mentions value={handles}>
      {talk.rows.length === 0 ? (
        <NothingYet channel={channel} />
      ) : (
        <MessageList
          key={channelId}
          handle={handle}
          channelId={channelId}
          rows={talk.rows}
          present={talk.present}
          target={target}
          hasOlder={known.older}
          hasNewer={known.newer}
          onOlder={talk.onOlder}
          onNewer={talk.onNewer}
          onBottom={atBottom}
          onOpen={openThread}
          onEdit={onEdit}
          start={start}
          overlay={(place) => (
            <Pills {...place} rows={talk.rows} present={talk.present} unread={readSeq === null ? 0 : channel.unread} me={talk.me}
              channelId={channelId} readSeq={readSeq} goTo={goTo} /> /* prettier-ignore */
          )}
        />
      )}
      <Announcer rows={talk.rows} me={talk.me} />
    </Mentions>
  );
}

/** What is seen at the end counts as read; and what is far above it then need not be kept. */
function useReading(channel: Channel, rows: number): (bottom: boolean) => void {
  const client = useQueryClient();
  const markRead = useMarkRead(channel.id);
  const [bottom, setBottom] = useState(false);
  useEffect(() => {
    if (!bottom) return;
    const read = () => {
      const last = readHistory(client, channel.id)?.items.at(-1);
      if (last && document.visibilityState === "visible") markRead(Math.max(last.seq, channel.last_seq));
    };
    read();
    trimHistory(client, channel.id);
    document.addEventListener("visibilitychange", read);
    return () => document.removeEventListener("visibilitychange", read);
  }, [bottom, rows, client, channel.id, channel.last_seq, markRead]);
  return setBottom;
}
