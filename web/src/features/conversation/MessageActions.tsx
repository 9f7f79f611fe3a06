import { ActionIcon } from "@mantine/core";
import { IconCopy, IconLink, IconMessageReply, IconPencil, IconTrash } from "@tabler/icons-react";

import { useIsAdmin, useMe } from "@/api/me";
import { useDeleteMessage, type Message } from "@/api/messages";
import { offerUndo } from "@/ui/ConfirmUndo";
import { notifyDone, notifyError } from "@/ui/notify";

import { useConversation } from "./context";
import { AddReaction } from "./reactions/AddReaction";

interface Props {
  channelId: string;
  message: Message;
  inThread: boolean;
}

/** What can be done with a message; only what this person may do. */
export function MessageActions({ channelId, message, inThread }: Props) {
  const me = useMe().data?.user.id;
  const admin = useIsAdmin();
  const { setEditing, openThread, canWrite } = useConversation();
  const remove = useRemove(channelId, message);
  const own = message.user_id !== null && message.user_id === me;
  return (
    <div role="toolbar" aria-label="Message actions" style={{ display: "flex" }}>
      {canWrite && <AddReaction channelId={channelId} message={message} />}
      {canWrite && !inThread && message.delivery !== "direct" && ( // what was said to one person is not answered to all
        <Action label="Reply in thread" icon={IconMessageReply} onClick={() => openThread(message.reply_to ?? message.id)} />
      )}
      {message.content && <Action label="Copy text" icon={IconCopy} onClick={() => void copy(message.content, "Text copied.")} />}
      <Action label="Copy link" icon={IconLink} onClick={() => void copy(linkTo(message), "Link copied.")} />
      {own && canWrite && <Action label="Edit" icon={IconPencil} onClick={() => setEditing(message.id)} />}
      {(own || admin) && <Action label="Delete" icon={IconTrash} onClick={() => void remove()} />}
    </div>
  );
}

interface ActionProps {
  label: string;
  icon: typeof IconCopy;
  onClick: () => void;
}

function Action({ label, icon: Icon, onClick }: ActionProps) {
  return (
    <ActionIcon aria-label={label} data-tip={label} size={28} onClick={onClick}>
      <Icon size={16} stroke={1.5} />
    </ActionIcon>
  );
}

function linkTo(message: Message): string {
  const search = new URLSearchParams({ message: message.reply_to ?? message.id, ...(message.reply_to ? { thread: message.reply_to } : {}) });
  return `${location.origin}/channels/${message.channel_id}?${search.toString()}`;
}

async function copy(text: string, done: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    notifyDone(done);
  } catch (error) {
    notifyError(error, "Couldn't copy: the browser does not allow it here");
  }
}

function useRemove(channelId: string, message: Message): () => Promise<void> {
  const remove = useDeleteMessage(channelId);
  return async () => {
    try {
      const restore = await remove(message);
      const undo = () => void restore().catch((error: unknown) => notifyError(error, "Couldn't bring it back"));
      offerUndo({ message: "Message deleted.", undo });
    } catch (error) {
      notifyError(error, "Couldn't delete the message");
    }
  };
}
