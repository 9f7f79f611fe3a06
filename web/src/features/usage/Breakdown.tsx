/** The chosen days: a bar a day, and a table of what is told apart. */
import { SegmentedControl } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { lazy, Suspense, useMemo, type ReactNode } from "react";

import { useAgents } from "@/api/agents";
import { usePeople } from "@/api/members";
import { useTeams } from "@/api/teams";
import { useTools } from "@/api/tools";
import { usageExportAddress, useUsage, useUsageDays } from "@/api/usage";
import { dayLabel } from "@/lib/costAxis";
import { money } from "@/lib/money";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorState } from "@/ui/ErrorState";
import { ListSkeleton } from "@/ui/ListSkeleton";

import { BY, dayOf, daysOf, everyDay, exported, isFiltered, toFilters, type By, type UsageSearch } from "./filters";
import { groupsOf, stackOf, type Group, type Known } from "./groups";
import classes from "./UsagePage.module.css";
import { UsageFilterBar } from "./UsageFilterBar";
import { UsageTable } from "./UsageTable";

const UsageChart = lazy(() => import("./UsageChart"));

const NAMES: Record<By, string> = { agent: "Agent", model: "Model", team: "Team", user: "Person", tool: "Tool" };

interface Props {
  search: UsageSearch;
  /** When the page was opened: its days do not move under its reader. */
  now: number;
  admin: boolean;
  onChange: (next: UsageSearch) => void;
}

export function Breakdown({ search, now, admin, onChange }: Props) {
  const by = !admin && search.by === "user" ? "agent" : (search.by ?? "agent");
  const days = daysOf(search, now);
  const filters = toFilters(search, days);
  const totals = useUsage({ by: [by], ...filters });
  const daily = useUsageDays(by, filters);
  const known = useKnown();
  const groups = useMemo(() => groupsOf(totals.data ?? [], by, known), [totals.data, by, known]);
  return (
    <section className={classes.usage} aria-label="Usage by day">
      <div className={classes.tools}>
        <UsageFilterBar search={search} now={now} admin={admin} onChange={onChange} />
        <a className={classes.export} href={usageExportAddress(exported({ ...search, by }, days))} download>
          <IconDownload size={16} stroke={1.5} aria-hidden />
          Export CSV
        </a>
      </div>
      <SegmentedControl
        className={classes.by}
        size="xs"
        aria-label="Told apart by"
        value={by}
        data={BY.filter((one) => admin || one !== "user").map((value) => ({ value, label: NAMES[value] }))}
        onChange={(value) => onChange({ ...search, by: value })}
      />
      <Results totals={totals} daily={daily} groups={groups} empty={<Empty search={search} />}>
        <Chart daily={daily} groups={groups} by={by} days={everyDay(days)} today={dayOf(now)} />
        <UsageTable groups={groups} by={by} name={NAMES[by]} search={search} />
      </Results>
    </section>
  );
}

function useKnown(): Known {
  const [agents, people, teams, tools] = [useAgents().data, usePeople().data, useTeams().data, useTools().data];
  return useMemo(() => {
    const accents = new Map((agents ?? []).map((agent) => [agent.id, agent.accent_colour]));
    return { agents, people, teams, tools, accents };
  }, [agents, people, teams, tools]);
}

type Totals = ReturnType<typeof useUsage>;
type Daily = ReturnType<typeof useUsageDays>;

interface ResultsProps {
  totals: Totals;
  daily: Daily;
  groups: readonly Group[];
  empty: ReactNode;
  children: ReactNode;
}

/** A failure is never shown as an empty table. */
function Results({ totals, daily, groups, empty, children }: ResultsProps) {
  const failed = totals.isError && !totals.data ? totals : daily.isError && !daily.data ? daily : null;
  if (failed) return <ErrorState error={failed.error} retry={() => void failed.refetch()} what="the usage" />;
  if (!totals.data || !daily.data) return <ListSkeleton rows={10} label="Loading usage" />;
  return groups.length === 0 ? empty : children;
}

function Empty({ search }: { search: UsageSearch }) {
  if (isFiltered(search)) return <EmptyState title="Nothing fits these filters in these days." />;
  return <EmptyState title="Nothing was used in these days.">When an agent answers, what it took stands here.</EmptyState>;
}

/** "1 Nov to 21 Nov": up to today, where days are still to come. */
function spanWords(days: readonly string[], today: string): string {
  const [first, last] = [days[0] ?? today, days.at(-1) ?? today];
  const end = first <= today && today < last ? today : last;
  return first === end ? dayLabel(first) : `${dayLabel(first)} to ${dayLabel(end)}`;
}

interface ChartProps {
  daily: Daily;
  groups: readonly Group[];
  by: By;
  days: readonly string[];
  today: string;
}

function Chart({ daily, groups, by, days, today }: ChartProps) {
  const { rows, split } = daily.data ?? { rows: [], split: true };
  const stack = useMemo(() => stackOf(rows, days, groups, by, split), [rows, days, groups, by, split]);
  const micro = groups.reduce((sum, group) => sum + group.micro, 0);
  return (
    <div>
      <div className={classes.chartHead}>
        <h2 className={classes.heading}>Cost by day</h2>
        <span className={classes.meta}>
          {money({ amount_micro: micro, currency: "USD" })}, {spanWords(days, today)}
          {split ? "" : `; too many ${NAMES[by].toLowerCase()}s to tell them apart by day`}
        </span>
      </div>
      {micro === 0 ? (
        <p className={classes.dim}>These calls cost nothing that is known.</p>
      ) : (
        <Suspense fallback={<ListSkeleton rows={4} label="Loading the chart" />}>
          <UsageChart stack={stack} days={days} />
        </Suspense>
      )}
    </div>
  );
}
