/** Reactions to messages: shown at once, taken back when the server refuses. */
import { useMutation, useQueryClient } from "@tanstack/react-query";

import { toggled } from "@/lib/reactions";

import { api, unwrap } from "./client";
import { takeMessage, type Message } from "./messages";

interface Toggle {
  message: Message;
  emoji: string;
  /** Who reacts: oneself. */
  userId: string;
}

/** Adds one's reaction, or takes it away when it is there. */
export function useToggleReaction(channelId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ message, emoji }: Toggle) => {
      const mine = message.reactions.some((one) => one.emoji === emoji && one.mine);
      const params = { path: { channel_id: channelId, message_id: message.id, emoji } };
      const path = "/v1/channels/{channel_id}/messages/{message_id}/reactions/{emoji}";
      return unwrap(mine ? api.DELETE(path, { params }) : api.PUT(path, { params }));
    },
    onMutate: ({ message, emoji, userId }) =>
      takeMessage(client, { ...message, reactions: toggled(message.reactions, emoji, userId) }),
    onSuccess: (message) => takeMessage(client, message),
    onError: (_, { message }) => takeMessage(client, message),
  });
}
