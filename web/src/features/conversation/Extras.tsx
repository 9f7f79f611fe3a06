import { Button } from "@mantine/core";
import { IconMessageReply } from "@tabler/icons-react";

import type { Message } from "@/api/messages";
import { plural } from "@/lib/format";
import { exact } from "@/lib/time";
import { TimeAgo } from "@/ui/TimeAgo";

import { useConversation } from "./context";
import classes from "./MessageItem.module.css";
import { ReactionBar } from "./reactions/ReactionBar";

/** Below the words of any message: reactions, and the way into its thread. */
export function Extras({ channelId, message, inThread }: { channelId: string; message: Message; inThread: boolean }) {
  const { openThread } = useConversation();
  if (message.status === "deleted" && message.reply_count === 0) return null;
  return (
    <>
      {message.status !== "deleted" && message.reactions.length > 0 && <ReactionBar channelId={channelId} message={message} />}
      {!inThread && message.reply_count > 0 && (
        <Button variant="subtle" size="compact-sm" className={classes.thread} onClick={() => openThread(message.id)}
          leftSection={<IconMessageReply size={14} stroke={1.5} />}> {/* prettier-ignore */}
          {plural(message.reply_count, "reply", "replies")}
          {message.last_reply_at && (
            <span className={classes.last}>
              last <TimeAgo when={message.last_reply_at} />
            </span>
          )}
        </Button>
      )}
    </>
  );
}

const STATUS: Partial<Record<Message["status"], string>> = { pending_approval: "Waits for approval", rejected: "Rejected" };

export function Notes({ message }: { message: Message }) {
  const status = STATUS[message.status];
  const direct = message.delivery === "direct" && message.recipient_id !== null;
  if (!status && !direct && !message.edited_at) return null;
  return (
    <>
      {direct && <span className={classes.note}>Only visible to you</span>}
      {status && <span className={classes.note}>{status}</span>}
      {message.edited_at && message.status !== "deleted" && (
        <span className={classes.note} title={`Edited ${exact(message.edited_at)}`}>
          edited
        </span>
      )}
    </>
  );
}
