import { memo } from "react";

import type { Message } from "@/api/messages";
import { Markdown } from "@/ui/markdown/Markdown";

import { EditMessage } from "./composer/EditMessage";
import { useConversation } from "./context";
import { Extras, Notes } from "./Extras";
import { Files } from "./Files";
import { MessageActions } from "./MessageActions";
import classes from "./MessageItem.module.css";
import { Row } from "./Row";
import { TurnItem } from "./TurnItem";
import { useDirectory } from "./useDirectory";

interface Props {
  channelId: string;
  message: Message;
  grouped?: boolean;
  inThread?: boolean;
}

/** Whether a message is what a turn led to, and is shown with that turn. */
export function isReply(message: Message): boolean {
  return message.author_kind === "agent" && message.interaction_id !== null && message.status !== "deleted";
}

/** What a turn's row takes from its reply. */
export function replyOf(message: Message) {
  return { turnId: message.interaction_id ?? "", agentId: message.agent_id ?? "", message };
}

/** One message with all that belongs to it, in the channel or in a thread. */
export const MessageItem = memo(function MessageItem({ channelId, message, grouped = false, inThread = false }: Props) {
  const directory = useDirectory();
  const { editing, setEditing } = useConversation();
  if (isReply(message)) return <TurnItem channelId={channelId} {...replyOf(message)} inThread={inThread} />;
  const gone = message.status === "deleted";
  const actions = () => <MessageActions channelId={channelId} message={message} inThread={inThread} />;
  return (
    <Row who={directory.of(message)} when={message.created_at} grouped={grouped} id={message.id}
      notes={<Notes message={message} />} {...(gone ? {} : { actions })}> {/* prettier-ignore */}
      {gone ? (
        <p className={classes.gone}>This message was deleted.</p>
      ) : editing === message.id ? (
        <EditMessage message={message} onDone={() => setEditing(null)} />
      ) : (
        <>
          <Markdown text={message.content} />
          <Files message={message} />
        </>
      )}
      <Extras channelId={channelId} message={message} inThread={inThread} />
    </Row>
  );
});
