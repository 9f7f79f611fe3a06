import { VisuallyHidden } from "@mantine/core";
import { memo, useMemo } from "react";

import { useChannelMembers } from "@/api/channels";
import { useMe } from "@/api/me";
import type { Message } from "@/api/messages";
import { whoReacted } from "@/lib/reactions";

import { AddReaction } from "./AddReaction";
import classes from "./Reactions.module.css";
import { useReact } from "./useReact";

interface Props {
  channelId: string;
  message: Message;
}

/** The reactions a message has. Pressing one adds or takes away one's own; pointing at it says whose they are. */
export const ReactionBar = memo(function ReactionBar({ channelId, message }: Props) {
  return message.reactions.length > 0 ? <Bar channelId={channelId} message={message} /> : null;
});

function Bar({ channelId, message }: Props) {
  const react = useReact(channelId, message);
  const members = useChannelMembers(channelId);
  const me = useMe().data?.user.id;
  const nameOf = useMemo(() => {
    const names = new Map(members.data?.map((one) => [one.user_id, one.name]));
    return (id: string) => (id === me ? undefined : names.get(id));
  }, [members.data, me]);
  return (
    <div className={classes.bar} role="group" aria-label="Reactions">
      {message.reactions.map((reaction) => {
        const who = whoReacted(reaction, nameOf);
        return (
          <button
            key={reaction.emoji}
            type="button"
            className={classes.chip}
            aria-pressed={reaction.mine}
            data-tip={who}
            onClick={() => react(reaction.emoji)}
          >
            {reaction.emoji} <span className={classes.count}>{reaction.count}</span>
            <VisuallyHidden>{`: ${who}. ${reaction.mine ? "Take yours away" : "React too"}`}</VisuallyHidden>
          </button>
        );
      })}
      <AddReaction channelId={channelId} message={message} />
    </div>
  );
}
