import { Button } from "@mantine/core";
import { IconArrowDown, IconArrowUp } from "@tabler/icons-react";
import { useState } from "react";

import { firstUnread } from "@/api/messages";
import { plural } from "@/lib/format";
import { isLive } from "@/lib/rows";

import type { TalkRow } from "./MessageList";
import classes from "./Pills.module.css";

interface Props {
  channelId: string;
  rows: readonly TalkRow[];
  present: boolean;
  /** How many were unread when one came. */
  unread: number;
  readSeq: number | null;
  me: string | null;
  far: boolean;
  bottom: boolean;
  firstSeen: number;
  goTo: (message: string | null) => Promise<void>;
}

/** Over the list: up to the first unread, down to what is new. Only where there is something to go to. */
export function Pills(props: Props) {
  return (
    <>
      <Unread {...props} />
      <Newer {...props} />
    </>
  );
}

/** The server counts up to a hundred. */
const MANY = 100;

function Unread({ channelId, rows, unread, readSeq, firstSeen, goTo }: Props) {
  const [done, setDone] = useState(false);
  const at = rows.findIndex((row) => row.kind === "message" && row.unread);
  const above = at >= 0 ? at < firstSeen : rows.length > 0;
  if (done || unread === 0 || readSeq === null || !above) return null;
  const go = async () => {
    setDone(true);
    const row = rows[at];
    const message = row?.kind === "message" ? row.message.id : await firstUnread(channelId, readSeq);
    if (message) await goTo(message);
  };
  return (
    <div className={classes.top}>
      <Button size="compact-sm" variant="default" radius="xl" leftSection={<IconArrowUp size={14} stroke={1.5} />} onClick={() => void go()}>
        {unread >= MANY ? "99+ unread" : `${unread} unread`}
      </Button>
    </div>
  );
}

function Newer({ rows, present, me, far, bottom, goTo }: Props) {
  const newest = lastSeq(rows);
  const [seen, setSeen] = useState(newest);
  if (bottom && present && newest > seen) setSeen(newest);
  if (bottom && present) return null;
  const fresh = rows.filter((row) => row.kind === "message" && row.message.seq > seen && row.message.user_id !== me).length;
  const busy = rows.some((row) => row.kind === "turn" && isLive(row.turn) && row.turn.state !== "waiting");
  if (!far && !fresh && !busy && present) return null;
  const words = fresh ? plural(fresh, "new message") : busy ? "Answering" : "Latest";
  return (
    <div className={classes.bottom}>
      <Button size="compact-md" variant={fresh ? "filled" : "default"} radius="xl" onClick={() => void goTo(null)}
        leftSection={<IconArrowDown size={16} stroke={1.5} />}> {/* prettier-ignore */}
        {words}
      </Button>
    </div>
  );
}

function lastSeq(rows: readonly TalkRow[]): number {
  const last = rows.findLast((row) => row.kind === "message");
  return last?.kind === "message" ? last.message.seq : 0;
}
