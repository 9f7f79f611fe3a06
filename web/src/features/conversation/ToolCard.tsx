import { UnstyledButton } from "@mantine/core";
import { IconChevronRight, IconTool } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { memo, useId, useState } from "react";

import { label } from "@/lib/format";
import { reasonOf } from "@/lib/reasons";
import { ofStep } from "@/lib/states";
import type { Call } from "@/lib/stream";
import { keyArgument } from "@/lib/trail";
import { later } from "@/ui/later";
import { Duration } from "@/ui/Duration";
import { JsonView } from "@/ui/JsonView";
import { StateDot } from "@/ui/StateDot";

import { Approval } from "./Approvals";
import classes from "./ToolCard.module.css";

const CallWhy = later(() => import("./CallWhy").then((module) => module.CallWhy));

/** One call of a tool: a line that says it all, opened in place to what went in and what came out. */
export const ToolCard = memo(function ToolCard({ call, turnId }: { call: Call; turnId: string }) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const asked = call.state === "waiting" || call.state === "unknown"; // its time is then the time of the person who is asked
  const argument = keyArgument(call.arguments);
  return (
    <div className={classes.card}>
      <UnstyledButton className={classes.line} aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)}>
        <IconChevronRight className={classes.chevron} size={14} stroke={1.5} aria-hidden />
        <IconTool size={16} stroke={1.5} aria-hidden className={classes.icon} />
        <span className={classes.tool}>{label(call.tool || "tool")}</span>
        {argument && <span className={classes.argument}>{argument}</span>}
        <span className={classes.end}>
          {call.startedAt && !asked && <Duration start={call.startedAt} end={call.endedAt} />}
          <StateDot {...ofStep(call)} />
        </span>
      </UnstyledButton>
      <div id={id} hidden={!open} className={classes.inside}>
        {open && <Inside call={call} turnId={turnId} />}
      </div>
    </div>
  );
});

function Inside({ call, turnId }: { call: Call; turnId: string }) {
  return (
    <>
      {call.error && <p className={classes.error}>{whyFailed(call)}</p>}
      {call.approvals?.map((id) => <Approval key={id} id={id} words="It was asked about." />)}
      <p className={classes.label}>Arguments</p>
      <JsonView value={call.arguments ?? {}} label="arguments" height={200} />
      {call.result !== null && (
        <>
          <p className={classes.label}>Result</p>
          <JsonView value={call.result} label="result" height={280} />
        </>
      )}
      <CallWhy turnId={turnId} seq={call.seq} />
      <Link to="/activity/$interactionId" params={{ interactionId: turnId }} search={{ step: call.seq }} className={classes.more}>
        Open in the timeline
      </Link>
    </>
  );
}

function whyFailed(call: Call): string {
  const detail = typeof call.result === "object" && call.result !== null && "detail" in call.result ? call.result.detail : null;
  return typeof detail === "string" && detail ? detail : reasonOf(call.error ?? "tool_failed");
}
