/** The columns of the log. */
import { Link } from "@tanstack/react-router";

import type { Interaction } from "@/api/interactions";
import { compact } from "@/lib/format";
import { total } from "@/lib/money";
import { between } from "@/lib/time";
import { CostCell } from "@/ui/CostCell";
import { Duration } from "@/ui/Duration";
import { StateWord } from "@/ui/StateWord";
import type { Column } from "@/ui/table/columns";
import { TimeAgo } from "@/ui/TimeAgo";

import classes from "./ActivityPage.module.css";
import { outcome } from "./rows";

export const columns: readonly Column<Interaction>[] = [
  {
    id: "state", title: "State", width: 96, fixed: true,
    value: (row) => row.state,
    cell: (row) => <StateWord state={row.state} />,
  },
  {
    id: "agent", title: "Agent", width: 120, fixed: true,
    value: (row) => row.agent_name,
    cell: (row) => (
      <Link to="/activity/$interactionId" params={{ interactionId: row.id }} className={classes.link} tabIndex={-1}>
        {row.agent_name ?? "An agent that is gone"}
      </Link>
    ),
  },
  { id: "channel", title: "Channel", width: 150, from: 760, value: (row) => row.channel_name, cell: (row) => row.channel_name ?? "–" },
  { id: "person", title: "Person", width: 140, from: 980, value: (row) => row.user_name, cell: (row) => row.user_name ?? "–" },
  {
    id: "outcome", title: "About", width: 140, grow: true,
    value: (row) => outcome(row) ?? row.asked,
    cell: (row) => <Outcome row={row} />,
  },
  {
    id: "started", title: "Started", width: 92, sortable: true,
    value: (row) => row.created_at,
    cell: (row) => <TimeAgo when={row.created_at} />,
  },
  {
    id: "duration", title: "Took", width: 80, align: "right", sortable: true,
    value: (row) => (row.ended_at ? between(row.created_at, row.ended_at) : null),
    cell: (row) => <Took row={row} />,
  },
  {
    id: "cost", title: "Cost", width: 80, align: "right", sortable: true,
    value: (row) => row.cost.amount_micro / 1_000_000,
    cell: (row) => <CostCell cost={row.cost} unpriced={row.unpriced} />,
    total: (rows) => total(rows.map((row) => row.cost)).map((sum) => (
      <CostCell key={sum.currency} cost={sum} unpriced={rows.some((row) => row.unpriced)} />
    )),
  },
  {
    id: "tokens", title: "Tokens", width: 76, from: 860, align: "right",
    value: (row) => row.input_tokens + row.output_tokens,
    cell: (row) => <Tokens row={row} />,
    total: (rows) => compact(rows.reduce((sum, row) => sum + row.input_tokens + row.output_tokens, 0)),
  },
  { id: "model", title: "Model", width: 170, optional: true, value: (row) => row.model, cell: (row) => row.model ?? "–" },
  {
    id: "tries", title: "Tries", width: 64, align: "right", optional: true,
    value: (row) => row.attempt, cell: (row) => row.attempt,
  },
  { id: "id", title: "Id", width: 250, optional: true, value: (row) => row.id, cell: (row) => <code>{row.id}</code> },
]; // prettier-ignore

function Tokens({ row }: { row: Interaction }) {
  const title = `${row.input_tokens.toLocaleString()} read, ${row.output_tokens.toLocaleString()} written`;
  return <span title={title}>{compact(row.input_tokens + row.output_tokens)}</span>;
}

/** How long it took; of one at work, how long it has worked so far. What waits or is queued takes no time. */
function Took({ row }: { row: Interaction }) {
  if (row.ended_at) return <Duration start={row.created_at} end={row.ended_at} />;
  return row.state === "running" && row.started_at ? <Duration start={row.started_at} /> : null;
}

function Outcome({ row }: { row: Interaction }) {
  const words = outcome(row) ?? row.asked;
  if (!words) return null;
  return (
    <span className={row.state === "failed" ? classes.failed : classes.quiet} title={words}>
      {words}
    </span>
  );
}

/** A turn in one cell, for narrow screens: what and how it went, then where, who and what it cost. */
export function compactRow(row: Interaction) {
  const words = outcome(row) ?? row.asked;
  return (
    <div className={classes.compact}>
      <div className={classes.line}>
        <span className={classes.strong}>{row.agent_name}</span>
        <StateWord state={row.state} since={row.started_at} />
      </div>
      <div className={classes.line}>
        <span className={row.state === "failed" ? classes.failed : classes.quiet}>
          {words ?? [row.channel_name, row.user_name].filter(Boolean).join(", ")}
        </span>
        <span className={classes.quiet}>
          <CostCell cost={row.cost} unpriced={row.unpriced} />, <TimeAgo when={row.created_at} />
        </span>
      </div>
    </div>
  );
}
