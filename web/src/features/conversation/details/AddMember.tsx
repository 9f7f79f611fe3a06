import { Button, Select } from "@mantine/core";
import { useMemo, useState, type SyntheticEvent } from "react";

import { useAgents } from "@/api/agents";
import { useAddMember, type Channel, type ChannelMember, type TriggerMode } from "@/api/channels";
import { ApiError } from "@/api/client";
import { useUsers } from "@/api/users";
import { isByBelonging, TRIGGERS } from "@/lib/channels";
import { ErrorState } from "@/ui/ErrorState";

import classes from "./ChannelDetails.module.css";

interface Props {
  channel: Channel;
  members: readonly ChannelMember[];
  onDone: () => void;
}

const MODES = Object.entries(TRIGGERS).map(([value, { label }]) => ({ value, label }));

/** Puts somebody into the channel: a person, or an agent with when it answers. */
export function AddMember({ channel, members, onDone }: Props) {
  const [party, setParty] = useState<string | null>(null);
  const [mode, setMode] = useState<TriggerMode | null>(null);
  const { users, agents, data } = useCandidates(channel, members);
  const add = useAddMember(channel.id);
  const agent = agents.data?.find((one) => one.id === party);
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!party) return;
    const body = agent ? { agent_id: party, role: "member" as const, trigger_mode: mode ?? agent.default_trigger_mode } : { user_id: party, role: "member" as const };
    add.mutate(body, { onSuccess: onDone });
  };
  const failed = users.error ?? agents.error;
  if (failed && data.every((group) => group.items.length === 0)) {
    return <ErrorState inline error={failed} what="people and agents" retry={() => void Promise.all([users.refetch(), agents.refetch()])} />;
  }
  const chosen = mode ?? agent?.default_trigger_mode ?? "mention";
  return (
    <form className={classes.add} onSubmit={submit}>
      <Select
        label={isByBelonging(channel.kind) ? "Agent" : "Person or agent"}
        placeholder="Find by name"
        searchable
        autoFocus
        nothingFoundMessage="Everyone by that name is in already"
        data={data}
        value={party}
        error={add.error instanceof ApiError ? add.error.detail : add.error ? "Couldn't add them. Try again." : undefined}
        onChange={(next) => {
          setParty(next);
          setMode(null);
          add.reset();
        }}
      />
      {agent && (
        <Select
          label="It answers"
          description={TRIGGERS[chosen].help}
          inputWrapperOrder={["label", "input", "description", "error"]}
          data={MODES}
          value={chosen}
          allowDeselect={false}
          onChange={(next) => setMode(next as TriggerMode | null)}
        />
      )}
      <div className={classes.buttons}>
        <Button type="submit" size="xs" disabled={!party} loading={add.isPending}>
          Add
        </Button>
        <Button size="xs" variant="default" onClick={onDone}>
          Cancel
        </Button>
      </div>
    </form>
  );
}

/** Whoever could be added and is not in yet. */
function useCandidates(channel: Channel, members: readonly ChannelMember[]) {
  const users = useUsers();
  const agents = useAgents();
  const data = useMemo(() => {
    const present = new Set(members.map((one) => one.agent_id ?? one.user_id));
    const absent = (one: { id: string }) => !present.has(one.id);
    const working = agents.data?.filter((one) => one.status !== "deactivated" && absent(one)) ?? [];
    const people = isByBelonging(channel.kind)
      ? []
      : (users.data?.filter((one) => one.status === "active" && absent(one)) ?? []);
    const items = (list: readonly { id: string; name: string }[]) =>
      list.map((one) => ({ value: one.id, label: one.name })).sort((a, b) => a.label.localeCompare(b.label));
    return [
      { group: "Agents", items: items(working) },
      { group: "People", items: items(people) },
    ].filter((group) => group.items.length > 0);
  }, [users.data, agents.data, members, channel.kind]);
  return { users, agents, data };
}
