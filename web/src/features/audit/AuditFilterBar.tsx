import { useAgents } from "@/api/agents";
import { usePeople } from "@/api/members";
import { RANGES } from "@/lib/ranges";
import { moment } from "@/lib/time";
import { FilterChips, type FilterDef, type Option } from "@/ui/FilterChips";

import { eventOptions, eventWords } from "./events";
import type { AuditSearch } from "./filters";

const EVENTS = eventOptions();

interface Props {
  search: AuditSearch;
  onChange: (id: string, value: string | undefined) => void;
  onClear: () => void;
}

/** What narrows the record down. A turn and an end are set by links, and can be taken off here. */
export function AuditFilterBar({ search, onChange, onClear }: Props) {
  const [agents, people] = [useAgents(), usePeople()];
  const who: Option[] = [
    ...named("People", people.data),
    ...named("Agents", agents.data),
    { value: "system", label: "Retinue", group: "Others" },
    { value: "external", label: "Other systems", group: "Others" },
  ];
  const { event, actor, since, until, interaction_id } = search;
  const filters: FilterDef[] = [
    { id: "event", label: "Event", value: event, options: EVENTS, ...(event ? { valueLabel: eventWords(event) } : {}) },
    { id: "actor", label: "Who", value: actor, options: who, valueLabel: "someone" },
    {
      id: "since", label: "Time", value: since,
      options: Object.entries(RANGES).map(([value, { label }]) => ({ value, label })),
      ...(since && !(since in RANGES) ? { valueLabel: `since ${moment(since)}` } : {}),
    },
    ...(until ? [{ id: "until", label: "Before", value: until, options: [], valueLabel: moment(until) }] : []),
    ...(interaction_id ? [{ id: "interaction_id", label: "Turn", value: interaction_id, options: [], valueLabel: "one turn" }] : []),
  ]; // prettier-ignore
  return <FilterChips filters={filters} onChange={onChange} onClear={onClear} />;
}

function named(group: string, list: readonly { id: string; name: string }[] | undefined): Option[] {
  return (list ?? []).map(({ id, name }) => ({ value: id, label: name, group }));
}
