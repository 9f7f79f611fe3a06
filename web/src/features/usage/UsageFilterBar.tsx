import { NativeSelect, TextInput } from "@mantine/core";

import { useAgents } from "@/api/agents";
import { usePeople } from "@/api/members";
import { useUsage } from "@/api/usage";
import { shortModel } from "@/lib/format";
import { FilterChips, type FilterDef } from "@/ui/FilterChips";

import { daysOf, isDay, later, readSearch, SPANS, type UsageSearch } from "./filters";
import classes from "./UsagePage.module.css";

interface Props {
  search: UsageSearch;
  now: number;
  admin: boolean;
  onChange: (next: UsageSearch) => void;
}

const OTHER = "other";

/** Which days, and of whom. */
export function UsageFilterBar({ search, now, admin, onChange }: Props) {
  const { from, to, span, ...rest } = search;
  const days = daysOf(search, now);
  const last = later(days.until, -1);
  const choose = (value: string): void => {
    if (value === OTHER) onChange({ ...rest, from: days.since, to: last });
    else onChange(readSearch({ ...rest, span: value }));
  };
  const set = (first: string, end: string): void => {
    if (!isDay(first) || !isDay(end)) return; // a date that is being typed
    const next = readSearch({ ...rest, from: first < end ? first : end, to: first < end ? end : first });
    if (next.from) onChange(next);
  };
  return (
    <div className={classes.filters}>
      <NativeSelect
        size="xs"
        aria-label="Days"
        value={from ? OTHER : (span ?? "month")}
        data={[{ value: "month", label: "This month" }, ...Object.entries(SPANS).map(([value, label]) => ({ value, label })), { value: OTHER, label: "Other days" }]}
        onChange={(event) => choose(event.currentTarget.value)}
      />
      {from && to ? (
        <>
          <TextInput key={`from${from}`} size="xs" type="date" aria-label="First day, in UTC" defaultValue={from} onBlur={(event) => set(event.currentTarget.value, to)} />
          <TextInput key={`to${to}`} size="xs" type="date" aria-label="Last day, in UTC" defaultValue={to} onBlur={(event) => set(from, event.currentTarget.value)} />
        </>
      ) : null}
      <Chips search={search} days={days} admin={admin} onChange={onChange} />
    </div>
  ); // prettier-ignore
}

function Chips({ search, days, admin, onChange }: Omit<Props, "now"> & { days: ReturnType<typeof daysOf> }) {
  const [agents, people] = [useAgents().data, usePeople().data];
  const models = useUsage({ by: ["model"], ...days }).data ?? [];
  const { agent_id, user_id, model, ...rest } = search;
  const named = (list: readonly { id: string; name: string }[] | undefined) => (list ?? []).map(({ id, name }) => ({ value: id, label: name }));
  const filters: FilterDef[] = [
    { id: "agent_id", label: "Agent", value: agent_id, options: named(agents), valueLabel: "an agent" },
    ...(admin ? [{ id: "user_id", label: "Person", value: user_id, options: named(people), valueLabel: "a person" }] : []),
    {
      id: "model", label: "Model", value: model, ...(model ? { valueLabel: shortModel(model) } : {}),
      options: models.flatMap((row) => (row.model ? [{ value: row.model, label: shortModel(row.model) }] : [])),
    },
  ]; // prettier-ignore
  return (
    <FilterChips
      filters={filters}
      onChange={(id, value) => onChange(readSearch({ ...search, [id]: value }))}
      onClear={() => onChange(rest)}
    />
  );
}
