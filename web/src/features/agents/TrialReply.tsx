/** One answer of a trial, as it streams and when it has ended. */
import { Button } from "@mantine/core";

import { useCancelInteraction, useInteraction } from "@/api/interactions";
import { useReply } from "@/api/stream";
import { label, shortModel } from "@/lib/format";
import { reasonOf } from "@/lib/reasons";
import { ofStep } from "@/lib/states";
import { answer, type Reply } from "@/lib/stream";
import { between, duration } from "@/lib/time";
import { keyArgument } from "@/lib/trail";
import { CostCell } from "@/ui/CostCell";
import { LinkAnchor } from "@/ui/links";
import { Markdown } from "@/ui/markdown/Markdown";
import { notifyError } from "@/ui/notify";
import { StateDot } from "@/ui/StateDot";

import classes from "./TryPanel.module.css";

const NO_CHANNEL = "";

export function TrialReply({ turn }: { turn: string }) {
  const reply = useReply(NO_CHANNEL, turn, true);
  const cancel = useCancelInteraction();
  const text = reply ? answer(reply) : "";
  const ended = reply?.end ?? null;
  const waiting = !ended && (reply?.waits.length ?? 0) > 0;
  return (
    <div className={classes.reply}>
      {reply?.calls.map((call) => (
        <div key={call.seq} className={classes.call}>
          <span className={classes.tool}>{label(call.tool)}</span>
          <span className={classes.argument}>{keyArgument(call.arguments)}</span>
          <StateDot {...ofStep(call)} />
        </div>
      ))}
      {text && <Markdown text={text} streaming={!ended} />}
      {waiting && (
        <div className={classes.line}>
          It waits for a person: {reply?.waits[0]?.prompt}{" "}
          <LinkAnchor to="/activity/$interactionId" params={{ interactionId: turn }} inherit>
            Answer
          </LinkAnchor>
        </div>
      )}
      {ended && <Ended turn={turn} end={ended} />}
      {!ended && !waiting && (
        <div className={classes.line} role="status">
          {text ? "Writing…" : "Thinking…"}{" "}
          <Button
            size="compact-xs"
            variant="subtle"
            color="gray"
            onClick={() => cancel.mutate(turn, { onError: (error) => notifyError(error, "Couldn't stop it") })}
          >
            Stop
          </Button>
        </div>
      )}
    </div>
  );
}

function Ended({ turn, end }: { turn: string; end: NonNullable<Reply["end"]> }) {
  const detail = useInteraction(turn);
  const { data } = detail;
  return (
    <>
      {end.state === "failed" && (
        <div className={classes.failed}>{end.detail ?? (end.error ? reasonOf(end.error) : "The turn failed.")}</div>
      )}
      {end.state === "cancelled" && <div className={classes.line}>Stopped.</div>}
      <div className={classes.line}>
        {data && (
          <>
            {[data.model && shortModel(data.model), data.started_at && data.ended_at && duration(between(data.started_at, data.ended_at))].filter(Boolean).join(" · ")}
            {" · "}
            <CostCell cost={data.cost} />
            {" · "}
          </>
        )}
        <LinkAnchor to="/activity/$interactionId" params={{ interactionId: turn }} inherit target="_blank">
          Details
        </LinkAnchor>
      </div>
    </>
  );
}
