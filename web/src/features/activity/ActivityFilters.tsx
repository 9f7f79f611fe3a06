/** The filters above the log. Their choices come from what one can see; a filter whose choices fail to load still shows. */
import { TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { useState } from "react";

import { useAgents } from "@/api/agents";
import { useChannels } from "@/api/channels";
import { usePeople } from "@/api/members";
import { money } from "@/lib/money";
import { RANGES } from "@/lib/ranges";
import { ofInteraction } from "@/lib/states";
import { day } from "@/lib/time";
import { FilterChips, type FilterDef } from "@/ui/FilterChips";

import classes from "./ActivityPage.module.css";
import { STATES, type ActivitySearch } from "./filters";

const COSTS = [0.01, 0.1, 1, 10];

interface Props {
  search: ActivitySearch;
  onChange: (id: string, value: string | undefined) => void;
  onClear: () => void;
}

export function ActivityFilters({ search, onChange, onClear }: Props) {
  const agents = useAgents();
  const channels = useChannels();
  const people = usePeople();
  const named = (list: readonly { id: string; name: string }[] | undefined) =>
    (list ?? []).map(({ id, name }) => ({ value: id, label: name }));
  const filters: FilterDef[] = [
    {
      id: "state", label: "State", value: search.state,
      options: STATES.map((state) => ({ value: state, label: ofInteraction(state).label })),
    },
    { id: "agent_id", label: "Agent", value: search.agent_id, options: named(agents.data), valueLabel: "one agent" },
    { id: "channel_id", label: "Channel", value: search.channel_id, options: named(channels.data), valueLabel: "one channel" },
    { id: "user_id", label: "Person", value: search.user_id, options: named(people.data), valueLabel: "one person" },
    {
      id: "since", label: "Time", value: search.since,
      valueLabel: search.since && !(search.since in RANGES) ? `since ${day(search.since)}` : undefined,
      options: Object.entries(RANGES).map(([value, { label }]) => ({ value, label })),
    },
    {
      id: "min_cost", label: "Cost", value: search.min_cost,
      valueLabel: search.min_cost ? atLeast(Number(search.min_cost)) : undefined,
      options: COSTS.map((cost) => ({ value: String(cost), label: atLeast(cost) })),
    },
  ]; // prettier-ignore
  return (
    <div className={classes.filters}>
      <Words words={search.q ?? ""} onChange={(words) => onChange("q", words || undefined)} />
      <FilterChips filters={filters} onChange={onChange} onClear={onClear} />
    </div>
  );
}

/** Words of questions and answers; asked for when somebody stops typing. */
function Words({ words, onChange }: { words: string; onChange: (words: string) => void }) {
  const [text, setText] = useState(words);
  const [last, setLast] = useState(words);
  if (words !== last) {
    // the address has changed: by what was typed here, or by going back
    setLast(words);
    if (words !== text.trim()) setText(words);
  }
  const ask = useDebouncedCallback(onChange, 400);
  return (
    <TextInput
      size="xs"
      className={classes.words}
      aria-label="Find in questions and answers"
      placeholder="Find words"
      leftSection={<IconSearch size={14} stroke={1.5} />}
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value);
        ask(event.currentTarget.value.trim());
      }}
    />
  );
}

function atLeast(cost: number): string {
  return `at least ${money({ amount_micro: cost * 1_000_000, currency: "USD" })}`;
}
