import { memo } from "react";

import { dayTitle, exact } from "@/lib/time";

import { isReply, MessageItem, replyOf } from "./MessageItem";
import type { TalkRow } from "./MessageList";
import { OutgoingItem } from "./OutgoingItem";
import { Row } from "./Row";
import classes from "./RowItem.module.css";
import { TurnItem } from "./TurnItem";
import { Working } from "./TurnState";
import { useDirectory } from "./useDirectory";

interface Props {
  channelId: string;
  row: TalkRow;
  target: string | null;
}

/** A row with the lines above it: which day it is, where the unread begins. */
export const RowItem = memo(
  function RowItem({ channelId, row, target }: Props) {
    const pointed = row.kind === "message" && row.message.id === target;
    return (
      <div className={classes.item} data-pointed={pointed || undefined}>
        {row.day && (
          <p className={classes.day}>
            <span title={exact(row.day)}>{dayTitle(row.day)}</span>
          </p>
        )}
        {row.kind === "message" && row.unread && (
          <p className={classes.unread}>
            <span>New</span>
          </p>
        )}
        <Inner channelId={channelId} row={row} />
      </div>
    );
  },
  (before, after) => before.channelId === after.channelId && before.target === after.target && sameRow(before.row, after.row),
);

/** Rows are made anew with every change; what they show is the same objects where it did not change. */
function sameRow(one: TalkRow, other: TalkRow): boolean {
  const names = Object.keys(one) as (keyof TalkRow)[];
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}

/** A turn's row becomes its reply's: the same component all the way, so that what was opened in it stays open. */
function Inner({ channelId, row }: Omit<Props, "target">) {
  switch (row.kind) {
    case "message":
      if (isReply(row.message)) return <TurnItem channelId={channelId} {...replyOf(row.message)} />;
      return <MessageItem channelId={channelId} message={row.message} grouped={row.grouped} />;
    case "turn":
      return <TurnItem channelId={channelId} turnId={row.turn.id} agentId={row.turn.agent_id} turn={row.turn} />;
    case "outgoing":
      return <OutgoingItem channelId={channelId} outgoing={row.outgoing} grouped={row.grouped} />;
    case "expected":
      return <Expected agentId={row.agentId} since={row.since} />;
  }
}

/** An agent that will answer what is on its way: its dot is there before the server knows. */
function Expected({ agentId, since }: { agentId: string; since: string }) {
  const who = useDirectory().agent(agentId);
  return (
    <Row who={who} when={since}>
      <Working words="Thinking" since={null} />
    </Row>
  );
}
