import { memo, useEffect, useMemo, useState } from "react";

import type { Message } from "@/api/messages";
import { useReply } from "@/api/stream";
import { useTurnDetail, type Turn, type TurnDetail } from "@/api/turns";
import { isLive } from "@/lib/rows";
import { answer, EMPTY, type Reply } from "@/lib/stream";
import { trailOf, trailOfSteps } from "@/lib/trail";
import { Markdown } from "@/ui/markdown/Markdown";

import { Approvals } from "./Approvals";
import { Extras, Notes } from "./Extras";
import { Files } from "./Files";
import { MessageActions } from "./MessageActions";
import { MetaLine } from "./MetaLine";
import { Row } from "./Row";
import { Trail } from "./Trail";
import { Ended, Status } from "./TurnState";
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

/** One turn of an agent, from its first sign of life to its reply: the same row all the way. */
export const TurnItem = memo(function TurnItem({ channelId, turnId, agentId, turn, message, inThread = false }: Props) {
  const who = useDirectory().agent(agentId);
  const { live, reply, detail, trail } = useProgress(channelId, turnId, turn, message);
  const when = message?.created_at ?? turn?.created_at ?? detail?.created_at ?? "";
  const tree = (
    <div aria-busy={live}>
      <Trail stops={trail} turnId={turnId} live={live} />
      <Approvals waits={reply.waits} />
      <Words text={message ? message.content : answer(reply)} live={live} />
      {message && <Said message={message} detail={detail} inThread={inThread} turnId={turnId} />}
      {live && <UnderWay channelId={channelId} turnId={turnId} reply={reply} agent={who.name} turn={turn ?? null} />}
      {!live && !message && <Ended channelId={channelId} {...ending(turnId, agentId, turn, reply, detail)} />}
    </div>
  );
  if (!message) return <Row who={who} when={when} id={turnId}>{tree}</Row>; // prettier-ignore
  const actions = () => <MessageActions channelId={channelId} message={message} inThread={inThread} />;
  return (
    <Row who={who} when={when} id={message.id} actions={actions} notes={<Notes message={message} />}>
      {tree}
    </Row>
  );
});

/** Where the turn is, from its stream while it is under way, from its journal afterwards. */
function useProgress(channelId: string, turnId: string, turn: Turn | undefined, message: Message | undefined) {
  const reply = useReply(channelId, turnId, !message) ?? EMPTY;
  const live = !message && !reply.end && (turn ? isLive(turn) : true);
  const lingering = useLingering();
  const detail = useTurnDetail(turnId, !live && lingering).data ?? null;
  const known = live ? null : detail;
  const trail = useMemo(() => (known?.steps ? trailOfSteps(known.steps, known.waits) : trailOf(reply)), [known, reply]);
  return { reply, live, detail, trail };
}

function Words({ text, live }: { text: string; live: boolean }) {
  return text ? <Markdown text={text} streaming={live} /> : null;
}

interface SaidProps {
  message: Message;
  detail: TurnDetail | null;
  inThread: boolean;
  turnId: string;
}

/** What belongs to a reply that stands in the channel. */
function Said({ message, detail, inThread, turnId }: SaidProps) {
  return (
    <>
      <Files message={message} />
      <MetaLine model={modelOf(message, detail)} detail={detail} turnId={turnId} limited={detail?.stop_reason ?? null} />
      <Extras channelId={message.channel_id} message={message} inThread={inThread} />
    </>
  );
}

interface UnderWayProps {
  channelId: string;
  turnId: string;
  reply: Reply;
  agent: string;
  turn: Turn | null;
}

function UnderWay(props: UnderWayProps) {
  const { channelId, turnId, reply } = props;
  return (
    <>
      <Status {...props} />
      {reply.waits
        .filter((wait) => wait.kind !== "approval")
        .map((wait) => (
          <WaitBar key={wait.id} channelId={channelId} turnId={turnId} wait={wait} />
        ))}
    </>
  );
}

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
  return detail?.model ?? null;
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
