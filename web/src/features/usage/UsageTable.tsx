/** What is told apart, with its sums; a name narrows the page to it. */
import { Link } from "@tanstack/react-router";
import { useMemo, useState, type ReactNode } from "react";

import { compact, count } from "@/lib/format";
import { money } from "@/lib/money";
import { CostCell } from "@/ui/CostCell";
import { showsAt, sortRows, type Column, type Sort } from "@/ui/table/columns";
import { Foot, Head } from "@/ui/table/TableParts";
import { useSize } from "@/ui/useSize";

import type { By, UsageSearch } from "./filters";
import { REST, type Group } from "./groups";
import classes from "./UsagePage.module.css";

interface Props {
  groups: readonly Group[];
  by: By;
  /** What the first column is called. */
  name: string;
  search: UsageSearch;
}

const FIRST = 50;

export function UsageTable({ groups, by, name, search }: Props) {
  const [ref, { width }] = useSize<HTMLDivElement>();
  const [sort, setSort] = useState<Sort | null>(null);
  const [all, setAll] = useState(false);
  const columns = useMemo(() => columnsOf(by, name, search), [by, name, search]);
  const shown = columns.filter((column) => column.fixed ?? showsAt(column, width));
  const rows = sortRows(groups, columns, sort);
  return (
    <div ref={ref}>
      <table className={classes.table} aria-label={`Usage by ${name.toLowerCase()}`}>
        <Head columns={shown} sort={sort} onSort={setSort} />
        <tbody>
          {(all ? rows : rows.slice(0, FIRST)).map((group) => (
            <tr key={group.key}>
              {shown.map((column, at) =>
                at === 0 ? (
                  <th key={column.id} scope="row">
                    {column.cell(group)}
                  </th>
                ) : (
                  <td key={column.id} data-align={column.align}>
                    {column.cell(group)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
        <Foot columns={shown} rows={groups} label="All" />
      </table>
      {rows.length > FIRST && !all ? (
        <button type="button" className={classes.more} onClick={() => setAll(true)}>
          Show all {count(rows.length)}
        </button>
      ) : null}
    </div>
  );
}

function sum(rows: readonly Group[], pick: (row: Group) => number): number {
  return rows.reduce((all, row) => all + pick(row), 0);
}

const amount = (micro: number) => ({ amount_micro: micro, currency: "USD" });

/** Of a price that is not known the least is said; where none is known, that. */
function cost(micro: number, unpriced: number): ReactNode {
  return <CostCell cost={amount(micro)} unpriced={unpriced > 0} />;
}

function columnsOf(by: By, name: string, search: UsageSearch): Column<Group>[] {
  const number = (id: string, title: string, width: number, pick: (row: Group) => number, from?: number): Column<Group> => ({
    id, title, width, align: "right", sortable: true, value: pick, ...(from ? { from } : {}),
    cell: (row) => <span title={count(pick(row))}>{compact(pick(row))}</span>,
    total: (rows) => <span title={count(sum(rows, pick))}>{compact(sum(rows, pick))}</span>,
  }); // prettier-ignore
  const turns = number("turns", "Turns", 72, (row) => row.turns, 320);
  const several = by === "model" || by === "tool"; // a turn may take several of them, and would be counted with each
  return [
    {
      id: "name", title: name, width: 140, grow: true, fixed: true, sortable: true, value: (row) => row.name,
      cell: (row) => <Name group={row} by={by} search={search} />,
    },
    {
      id: "cost", title: "Cost", width: 92, align: "right", fixed: true, sortable: true, value: (row) => row.micro,
      cell: (row) => cost(row.micro, row.unpriced), total: (rows) => cost(sum(rows, (row) => row.micro), sum(rows, (row) => row.unpriced)),
    },
    { id: "share", title: "Share", width: 120, sortable: false, from: 620, value: (row) => row.share, cell: (row) => <Share group={row} />, total: () => null },
    several ? { ...turns, total: () => null } : turns,
    number("calls", "Calls", 72, (row) => row.calls, 480),
    number("input", "Tokens in", 96, (row) => row.input, 560),
    number("output", "Tokens out", 104, (row) => row.output, 680),
    { ...number("unpriced", "No price", 88, (row) => row.unpriced, 760), cell: (row) => (row.unpriced > 0 ? count(row.unpriced) : <span className={classes.dim}>–</span>) },
  ]; // prettier-ignore
}

function Share({ group }: { group: Group }) {
  const percent = Math.round(group.share * 100);
  return (
    <span className={classes.share} title={money(amount(group.micro))}>
      <span className={classes.shareBar} aria-hidden>
        <span style={{ width: `${group.share * 100}%`, background: group.colour ?? REST }} />
      </span>
      {group.share > 0 && percent === 0 ? "<1" : percent}%
    </span>
  );
}

/** The name, leading to this page of it alone where that can be asked for. */
function Name({ group, by, search }: { group: Group; by: By; search: UsageSearch }) {
  const to: UsageSearch | null =
    group.key === "" ? null
    : by === "agent" ? { ...search, agent_id: group.key, by: "model" }
    : by === "model" ? { ...search, by: "agent", model: group.key }
    : by === "user" ? { ...search, by: "agent", user_id: group.key }
    : null; // prettier-ignore
  return (
    <span className={classes.name} title={by === "model" && group.key ? group.key : group.name}>
      <span className={classes.swatch} style={{ background: group.colour ?? (group.micro > 0 ? REST : "transparent") }} aria-hidden />
      {to ? (
        <Link to="/usage" search={to} className={classes.link}>
          {group.name}
        </Link>
      ) : (
        <span className={group.key === "" ? classes.dim : undefined}>{group.name}</span>
      )}
    </span>
  );
}
