import { useState } from "react";

import { shorten } from "@/lib/format";

import classes from "./Announcer.module.css";
import type { TalkRow } from "./MessageList";
import { useDirectory } from "./useDirectory";

const LONGEST = 300;

/** Says once, politely, what others have said: whole messages, never the pieces of one that streams. */
export function Announcer({ rows, me }: { rows: readonly TalkRow[]; me: string | null }) {
  const { of } = useDirectory();
  const last = rows.findLast((row) => row.kind === "message");
  const message = last?.kind === "message" ? last.message : null;
  const [heard, setHeard] = useState({ seq: message?.seq ?? 0, words: "" });
  if (message && message.seq > heard.seq) {
    const own = message.user_id !== null && message.user_id === me;
    const words = own || message.status === "deleted" ? "" : `${of(message).name}: ${shorten(message.content, LONGEST)}`;
    setHeard({ seq: message.seq, words });
  }
  return (
    <div role="status" aria-live="polite" className={classes.hidden}>
      {heard.words}
    </div>
  );
}
