import { memo, useEffect, useMemo, useState } from "react";

import type { Message } from "@/api/messages";
import { useReply } from "@/api/stream";
import { useTurnDetail, type Turn, type TurnDetail } from "@/api/turns";
import { isLive } from "@/lib/rows";
import { answer, EMPTY, type Reply } from "@/lib/stream";
import { trailOf, trailOfSteps } from "@/lib/trail";
import { Markdown } from "@/ui/markdown/Markdown";

import { Extras, Notes } from "./Extras";
import { Files } from "./Files";
import { MessageActions } from "./MessageActions";
import { MetaLine } from "./MetaLine";
import { Row } from "./Row";
import { Trail } from "./Trail";
import { Ended, Status } from "./TurnState";
import classes from "./TurnItem.module.css";
import { useDirectory } from "./useDirectory";
import { WaitBar } from "./WaitBar";

interface Props {
  channelId: string;
  turnId: string;
  agentId: string;
  /** What is known of the turn; absent in history, where the message says it all. */
  turn?: Turn;
  /** The reply as it stands in the channel. */
  message?: Message;
  inThread?: boolean;
}

/** One turn of an agent from its first sign of life to its reply: the same row all the way. */
export const TurnItem = memo(function TurnItem({ channelId, turnId, agentId, turn, message, inThread = false }: Props) {
  const who = useDirectory().agent(agentId);
  const reply = useReply(channelId, turnId, !message);
  const live = !message && !reply?.end && (turn ? isLive(turn) : true);
  const lingering = useLingering();
  const detail = useTurnDetail(turnId, !live && lingering).data ?? null;
  const now = reply ?? EMPTY;
  const trail = useMemo(() => (detail?.steps && !live ? trailOfSteps(detail.steps) : trailOf(now)), [detail, live, now]);
  const text = message ? message.content : answer(now);
  const when = message?.created_at ?? turn?.created_at ?? detail?.created_at ?? "";
  const actions = message && (() => <MessageActions channelId={channelId} message={message} inThread={inThread} />);
  return (
    <Row who={who} when={when} id={message?.id ?? turnId} {...(actions ? { actions } : {})} {...(message ? { notes: <Notes message={message} /> } : {})}>
      <div className={classes.turn} data-live={live || undefined} aria-busy={live}>
        <Trail stops={trail} turnId={turnId} live={live} />
        {text && <Markdown text={text} streaming={live} />}
        {message && <Files message={message} />}
        {live && <Status channelId={channelId} turnId={turnId} reply={now} agent={who.name} turn={turn ?? null} />}
        {live && now.waits.map((wait) => <WaitBar key={wait.id} channelId={channelId} turnId={turnId} wait={wait} />)}
        {!live && !message && <Ended channelId={channelId} {...ending(turnId, agentId, turn, now, detail)} />}
        {message && <MetaLine model={modelOf(message, detail)} detail={detail} turnId={turnId} limited={detail?.stop_reason ?? null} />}
        {message && <Extras channelId={channelId} message={message} inThread={inThread} />}
      </div>
    </Row>
  );
});

/** How a turn without a reply ended, from whoever knows it: its stream, the list of turns, or itself. */
function ending(turnId: string, agentId: string, turn: Turn | undefined, reply: Reply, detail: TurnDetail | null) {
  const from = detail ?? turn;
  return {
    turnId,
    agentId,
    state: reply.end?.state ?? from?.state ?? "failed",
    error: reply.end?.error ?? from?.error ?? null,
    detail: reply.end?.detail ?? from?.error_detail ?? null,
    cost: detail,
  };
}

function modelOf(message: Message, detail: TurnDetail | null): string | null {
  const said = message.metadata["model"];
  if (typeof said === "string") return said;
  return detail && "model" in detail && typeof detail.model === "string" ? detail.model : null;
}

const LINGER_MS = 120;

/** True once the row has been on screen for a moment: what only flies by while scrolling asks for nothing. */
function useLingering(): boolean {
  const [lingering, setLingering] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLingering(true), LINGER_MS);
    return () => clearTimeout(timer);
  }, []);
  return lingering;
}
