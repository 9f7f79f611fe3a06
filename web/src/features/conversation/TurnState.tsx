import { Button, UnstyledButton } from "@mantine/core";
import { IconAlertTriangle, IconPlayerStopFilled, IconRefresh } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";

import { useIsAdmin } from "@/api/me";
import { useRetryTurn, useStopTurn, type Turn, type TurnDetail } from "@/api/turns";
import { failureOf, type Remedy } from "@/lib/failures";
import { names, label } from "@/lib/format";
import { whyAgain } from "@/lib/reasons";
import type { Reply } from "@/lib/stream";
import { Duration } from "@/ui/Duration";
import { notifyError } from "@/ui/notify";

import classes from "./TurnItem.module.css";

interface StatusProps {
  channelId: string;
  turnId: string;
  reply: Reply;
  agent: string;
  turn: Turn | null;
}

/** What is going on in a turn under way, with the way to stop it. */
export function Status({ channelId, turnId, reply, agent, turn }: StatusProps) {
  const stop = useStopTurn(channelId);
  const [open, setOpen] = useState(false);
  const again = turn && whyAgain(turn);
  const halt = () => stop.mutate(turnId, { onError: (error) => notifyError(error, `Couldn't stop ${agent}`) });
  return (
    <>
      <Working since={turn?.created_at ?? null} waiting={reply.phase === "waiting"} words={again ? `${again} Trying again.` : wordsFor(reply)}>
        {reply.reasoning && (
          <Button size="compact-xs" variant="subtle" color="gray" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? "Hide thoughts" : "Show thoughts"}
          </Button>
        )}
        <Button size="compact-xs" variant="subtle" color="gray" disabled={stop.isPending} onClick={halt}
          aria-label={`Stop ${agent}`} leftSection={<IconPlayerStopFilled size={12} />}> {/* prettier-ignore */}
          {stop.isPending ? "Stopping" : "Stop"}
        </Button>
      </Working>
      {open && reply.reasoning && <div className={classes.reasoning}>{reply.reasoning}</div>}
    </>
  );
}

function wordsFor(reply: Reply): string {
  switch (reply.phase) {
    case "writing":
      return "Writing";
    case "waiting":
      return reply.waits.some((wait) => wait.kind === "approval") ? "Waiting for approval" : "Waiting for a person";
    case "calling":
      return reply.announced.length ? `Preparing ${names(reply.announced.map((tool) => label(tool).toLowerCase()))}` : "Using tools";
    default:
      return "Thinking";
  }
}

interface WorkingProps {
  words: string;
  since: string | null;
  /** It is a person's turn, not the agent's. */
  waiting?: boolean;
  children?: ReactNode;
}

/** The dot that pulses, a word, and after a few seconds how long it has been. */
export function Working({ words, since, waiting = false, children }: WorkingProps) {
  return (
    <div className={classes.thinking}>
      <span className={classes.dot} data-waiting={waiting || undefined} aria-hidden="true" />
      <span>{words}</span>
      {since && <Duration start={since} />}
      {children}
    </div>
  );
}

interface EndedProps {
  channelId: string;
  turnId: string;
  agentId: string;
  state: string;
  error: string | null;
  detail: string | null;
  cost: TurnDetail | null;
}

/** A turn that ended without a reply: stopped, said quietly; failed, with what can be done. */
export function Ended({ channelId, turnId, agentId, state, error, detail }: EndedProps) {
  const retry = useRetryTurn(channelId);
  const again = () => retry.mutate(turnId, { onError: (failure) => notifyError(failure, "Couldn't try again") });
  if (state === "succeeded") return null;
  if (state === "cancelled") {
    return (
      <div className={classes.ended}>
        <span>Stopped.</span>
        <UnstyledButton component={Link} to={`/activity/${turnId}`} fz={12} td="underline">
          Details
        </UnstyledButton>
      </div>
    );
  }
  const failure = failureOf(error, detail);
  return (
    <div className={classes.failed} role="group" aria-label="Failed turn">
      <p className={classes.failedTitle}>
        <IconAlertTriangle size={16} stroke={1.5} aria-hidden />
        {failure.title}
      </p>
      <p className={classes.failedDetail}>{failure.detail}</p>
      <div className={classes.failedActions}>
        {failure.remedies.map((remedy) => (
          <RemedyButton key={remedy} remedy={remedy} agentId={agentId} retry={again} busy={retry.isPending} />
        ))}
        {!failure.remedies.includes("retry") && <RemedyButton remedy="retry" agentId={agentId} retry={again} busy={retry.isPending} />}
        <Button size="compact-sm" variant="subtle" color="gray" component={Link} to={`/activity/${turnId}`}>
          Details
        </Button>
      </div>
    </div>
  );
}

interface RemedyProps {
  remedy: Remedy;
  agentId: string;
  retry: () => void;
  busy: boolean;
}

function RemedyButton({ remedy, agentId, retry, busy }: RemedyProps) {
  const admin = useIsAdmin();
  if (remedy === "retry") {
    return (
      <Button size="compact-sm" variant="default" onClick={retry} loading={busy} leftSection={<IconRefresh size={14} stroke={1.5} />}>
        Try again
      </Button>
    );
  }
  if (!admin) return null;
  const [to, words] = remedy === "models" ? ["/settings/models", "Open model settings"] : [`/agents/${agentId}/edit`, "Edit the agent"];
  return (
    <Button size="compact-sm" variant="default" component={Link} to={to}>
      {words}
    </Button>
  );
}
