/** The columns of the list of agents, and a row of it on a phone. */
import { plural, shortModel } from "@/lib/format";
import { Avatar } from "@/ui/Avatar";
import { CostCell } from "@/ui/CostCell";
import { StateDot } from "@/ui/StateDot";
import { TimeAgo } from "@/ui/TimeAgo";
import type { Column } from "@/ui/table/columns";

import classes from "./AgentsPage.module.css";
import type { AgentRow } from "./rows";
import { stateOf } from "./words";

export const columns: readonly Column<AgentRow>[] = [
  {
    id: "name",
    title: "Agent",
    width: 212,
    grow: true,
    fixed: true,
    sortable: true,
    value: (row) => row.agent.name,
    cell: (row) => <Name row={row} />,
  },
  {
    id: "state",
    title: "State",
    width: 96,
    sortable: true,
    value: (row) => state(row).label,
    cell: (row) => <StateDot {...state(row)} />,
  },
  {
    id: "model",
    title: "Model",
    width: 156,
    from: 770,
    sortable: true,
    value: (row) => row.agent.model,
    cell: (row) => <Model model={row.agent.model} />,
  },
  {
    id: "channels",
    title: "Active in",
    width: 96,
    sortable: true,
    value: (row) => row.overview?.channels ?? null,
    cell: (row) => active(row),
  },
  {
    id: "last",
    title: "Last turn",
    width: 96,
    sortable: true,
    value: (row) => row.overview?.last_turn_at ?? null,
    cell: (row) => <LastTurn row={row} />,
  },
  {
    id: "cost",
    title: "This month",
    width: 112,
    align: "right",
    sortable: true,
    value: (row) => (row.cost ? row.cost.amount_micro / 1_000_000 : null),
    cell: (row) => row.cost && <CostCell cost={row.cost} unpriced={row.unpriced} />,
  },
];

function state(row: AgentRow) {
  return stateOf(row.agent.status, row.overview?.working ?? false);
}

function active(row: AgentRow): string {
  if (!row.overview) return "";
  return row.overview.channels === 0 ? "No channel" : plural(row.overview.channels, "channel");
}

function Model({ model }: { model: string | null }) {
  if (model === null) return <span className={classes.dim}>Account default</span>;
  return <span title={model}>{shortModel(model)}</span>;
}

function LastTurn({ row }: { row: AgentRow }) {
  if (!row.overview) return null;
  return row.overview.last_turn_at ? <TimeAgo when={row.overview.last_turn_at} /> : <span className={classes.dim}>None yet</span>;
}

function Name({ row: { agent } }: { row: AgentRow }) {
  return (
    <span className={classes.name}>
      <Avatar kind="agent" name={agent.name} accent={agent.accent_colour} image={agent.avatar} size={24} />
      <span className={classes.what}>
        <span className={classes.called}>{agent.name}</span> {agent.description && <span className={classes.dim}>{agent.description}</span>}
      </span>
    </span>
  );
}

export function CompactAgent({ row }: { row: AgentRow }) {
  const { agent, overview } = row;
  return (
    <span className={classes.compact}>
      <Avatar kind="agent" name={agent.name} accent={agent.accent_colour} image={agent.avatar} size={32} />
      <span className={classes.lines}>
        <span className={classes.line}>{agent.name}</span>
        <span className={`${classes.line} ${classes.dim}`}>
          {active(row)}
          {overview?.last_turn_at && (
            <>
              {" · "}
              <TimeAgo when={overview.last_turn_at} />
            </>
          )}
        </span>
      </span>
      <StateDot {...state(row)} />
    </span>
  );
}
