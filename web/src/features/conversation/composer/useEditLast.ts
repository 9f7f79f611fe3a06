import { useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";

import { keys } from "@/api/keys";
import { useMe } from "@/api/me";
import type { Message } from "@/api/messages";

import { useConversation } from "../context";

/** Begins to edit one's last message of the channel, or of the thread; false when there is none in sight. */
export function useEditLast(channelId: string, replyTo: string | null): () => boolean {
  const client = useQueryClient();
  const me = useMe().data?.user.id;
  const { editLastOwn, setEditing } = useConversation();
  return useCallback(() => {
    if (replyTo === null) return editLastOwn();
    const replies = client.getQueryData<readonly Message[]>(keys.messages.thread(channelId, replyTo));
    const last = replies?.findLast((one) => one.user_id === me && one.author_kind === "user" && one.status === "sent");
    if (last) setEditing(last.id);
    return last !== undefined;
  }, [client, channelId, replyTo, me, editLastOwn, setEditing]);
}
