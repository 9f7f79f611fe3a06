import { useCallback } from "react";

import { useMe } from "@/api/me";
import type { Message } from "@/api/messages";
import { useToggleReaction } from "@/api/reactions";
import { notifyError } from "@/ui/notify";

/** Adds one's reaction to a message, or takes it away. */
export function useReact(channelId: string, message: Message): (emoji: string) => void {
  const userId = useMe().data?.user.id ?? "";
  const { mutate } = useToggleReaction(channelId);
  return useCallback(
    (emoji) =>
      mutate(
        { message, emoji, userId },
        { onError: (error) => notifyError(error, "Couldn't change your reaction") },
      ),
    [mutate, message, userId],
  );
}
