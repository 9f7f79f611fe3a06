import { ActionIcon, Menu } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useMemo } from "react";

import { EXPORTS, exportUrl } from "@/api/channels";
import { useMessage, useReplies, type Message } from "@/api/messages";
import { useOutbox } from "@/api/outbox";
import { ErrorState } from "@/ui/ErrorState";
import { ListSkeleton } from "@/ui/ListSkeleton";
import { Mentions } from "@/ui/markdown/mentions";
import { Panel } from "@/ui/Panel";
import { isTouch } from "@/ui/touch";

import { Composer } from "../composer/Composer";
import { LiveTurns } from "../LiveTurns";
import { MessageItem } from "../MessageItem";
import { OutgoingItem } from "../OutgoingItem";
import { useDirectory } from "../useDirectory";
import { grouped } from "./grouped";
import classes from "./ThreadPanel.module.css";
import { useFollowEnd } from "./useFollowEnd";

interface Props {
  channelId: string;
  messageId: string;
  onClose: () => void;
}

/** The replies to one message, with a composer of their own. Follows what is new while its end is in view. */
export function ThreadPanel({ channelId, messageId, onClose }: Props) {
  return (
    <Panel title="Thread" onClose={onClose} actions={<Export channelId={channelId} messageId={messageId} />}>
      <Thread key={messageId} channelId={channelId} messageId={messageId} />
    </Panel>
  );
}

function Export({ channelId, messageId }: Omit<Props, "onClose">) {
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon aria-label="Export this thread" title="Export">
          <IconDownload size={18} stroke={1.5} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {EXPORTS.map(([format, label]) => (
          <Menu.Item key={format} component="a" href={exportUrl(channelId, format, messageId)} download>
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function Thread({ channelId, messageId }: Omit<Props, "onClose">) {
  const root = useMessage(channelId, messageId);
  const { scroller, content } = useFollowEnd();
  const { handles } = useDirectory();
  if (root.error && !root.data) return <ErrorState error={root.error} what="this thread" retry={() => void root.refetch()} />;
  return (
    <div className={classes.thread}>
      <div className={classes.scroll} ref={scroller} tabIndex={0} role="region" aria-label="Messages of this thread">
        <div ref={content} className={classes.content}>
          <Mentions value={handles}>
            {root.data ? <MessageItem channelId={channelId} message={root.data} inThread /> : <ListSkeleton rows={2} avatar />}
            <Replies channelId={channelId} messageId={messageId} count={root.data?.reply_count ?? 0} />
            <LiveTurns channelId={channelId} replyTo={messageId} />
          </Mentions>
        </div>
      </div>
      {root.data && <Composer channelId={channelId} replyTo={messageId} autoFocus={!isTouch()} />}
    </div>
  );
}

interface RepliesProps {
  channelId: string;
  messageId: string;
  count: number;
}

const NONE: readonly Message[] = [];

function Replies({ channelId, messageId, count }: RepliesProps) {
  const replies = useReplies(channelId, messageId);
  const outbox = useOutbox(channelId);
  const known = replies.data ?? NONE;
  const rows = useMemo(() => grouped(known), [known]);
  const leaving = outbox.filter((one) => one.replyTo === messageId);
  if (replies.error && !replies.data) {
    return <ErrorState inline error={replies.error} what="the replies" retry={() => void replies.refetch()} />;
  }
  return (
    <>
      <div className={classes.divider}>{words(replies.data ? known.length : count)}</div>
      {replies.isPending && count > 0 && <ListSkeleton rows={Math.min(count, 4)} avatar label="Loading replies" />}
      {rows.map(({ message, follows }) => (
        <MessageItem key={message.id} channelId={channelId} message={message} grouped={follows} inThread />
      ))}
      {leaving.map((outgoing) => (
        <OutgoingItem key={outgoing.key} channelId={channelId} outgoing={outgoing} />
      ))}
    </>
  );
}

function words(count: number): string {
  if (count === 0) return "No replies yet";
  return count === 1 ? "1 reply" : `${count} replies`;
}
