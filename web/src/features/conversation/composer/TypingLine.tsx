import { useMemo } from "react";

import { useChannelMembers } from "@/api/channels";
import { useTyping } from "@/api/typing";
import { sentence } from "@/lib/typing";

import classes from "./TypingLine.module.css";

/** Who is typing. Its space is always there, so that nothing moves when somebody begins. */
export function TypingLine({ channelId }: { channelId: string }) {
  const typing = useTyping(channelId);
  const members = useChannelMembers(channelId);
  const names = useMemo(() => {
    const byId = new Map(members.data?.map((one) => [one.user_id, one.name]));
    return typing.flatMap((id) => byId.get(id) ?? []);
  }, [members.data, typing]);
  return (
    <div className={classes.line} role="status" aria-live="polite">
      {sentence(names)}
    </div>
  );
}
