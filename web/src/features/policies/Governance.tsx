/** What the account has decided for all of its agents; admins only. */
import { Alert, Button, Checkbox, MultiSelect, NumberInput, Select, Switch } from "@mantine/core";
import { useMemo, useState } from "react";

import { useAgents } from "@/api/agents";
import { ApiError } from "@/api/client";
import { useGovernance, usePutGovernance, type Governance as Value, type Governed } from "@/api/policies";
import { useUsers } from "@/api/users";
import { ErrorState } from "@/ui/ErrorState";
import { ListSkeleton } from "@/ui/ListSkeleton";
import { notifyDone } from "@/ui/notify";

import { DECIDERS } from "./AskFields";
import { ORDER } from "./fields";
import classes from "./PoliciesPage.module.css";

export function Governance() {
  const found = useGovernance(true);
  return (
    <section className={classes.section} aria-label="For all agents">
      <div>
        <h2 className={classes.heading}>For all agents</h2>
        <p className={classes.help}>What holds beside policies. Changes hold from the next step of every turn.</p>
      </div>
      {found.data ? (
        <Fields key={found.data.tag} governed={found.data} />
      ) : found.isError ? (
        <ErrorState inline error={found.error} retry={() => void found.refetch()} what="what holds for all agents" />
      ) : (
        <ListSkeleton rows={4} height={52} label="Loading what holds for all agents" />
      )}
    </section>
  );
}

function Fields({ governed: { value: before, tag } }: { governed: Governed }) {
  const [value, setValue] = useState<Value>(before);
  const put = usePutGovernance();
  const dirty = JSON.stringify(value) !== JSON.stringify(before);
  const set = (more: Partial<Value>) => {
    put.reset();
    setValue({ ...value, ...more });
  };
  const error = put.error instanceof ApiError ? put.error : null;
  const wrong = (field: string) => Object.entries(error?.fields() ?? {}).find(([path]) => path.startsWith(field))?.[1];
  const save = () => put.mutate({ value, tag }, { onSuccess: () => notifyDone("It holds from the next step of every turn.") });
  return (
    <form className={classes.form} noValidate onSubmit={(event) => { event.preventDefault(); save(); }}>
      <Switch
        label="Ask a person when a tool takes one level more trust than its agent has"
        description="Switched off, such calls are refused."
        checked={value.approvals}
        onChange={(event) => set({ approvals: event.currentTarget.checked })}
      />
      <Approver value={value} set={set} error={wrong("approver")} />
      <Switch
        label="An approval may stand for later calls"
        description="Whoever approves may say for how long and how far. Switched off, every call is asked about anew."
        checked={value.standing_grants}
        onChange={(event) => set({ standing_grants: event.currentTarget.checked })}
      />
      <Agents value={value} set={set} error={wrong("admin_agents")} />
      <Select
        label="A call whose price nobody knows, where a spending limit holds"
        data={[{ value: "refuse", label: "Is refused" }, { value: "allow", label: "Goes ahead, uncounted" }]}
        allowDeselect={false}
        maw={420}
        value={value.unpriced}
        onChange={(unpriced) => unpriced && set({ unpriced: unpriced })}
      />
      {put.error && !wrong("approver") && !wrong("admin_agents") ? <Failed error={put.error} /> : null}
      {dirty ? (
        <div className={classes.buttons}>
          <Button type="submit" loading={put.isPending}>Save</Button>
          <Button variant="default" onClick={() => set(before)}>Undo changes</Button>
        </div>
      ) : null}
    </form>
  ); // prettier-ignore
}

function Failed({ error }: { error: Error }) {
  const conflict = error instanceof ApiError && error.code === "wrong_state";
  return (
    <Alert color={conflict ? "yellow" : "red"} role="alert" title={conflict ? "Somebody changed this meanwhile" : "Not saved"}>
      {error.message}
      {conflict ? (
        <div>
          <Button size="xs" mt="sm" variant="default" onClick={() => window.location.reload()}>Show theirs</Button>
        </div>
      ) : null}
    </Alert>
  ); // prettier-ignore
}

interface PartProps {
  value: Value;
  set: (more: Partial<Value>) => void;
  error: string | undefined;
}

function Approver({ value: { approver }, set, error }: PartProps) {
  const people = useUsers().data;
  const data = useMemo(() => optionsOf(people, approver.users, "somebody who is gone"), [people, approver.users]);
  const change = (more: Partial<typeof approver>) => set({ approver: { ...approver, ...more } });
  return (
    <>
      <div className={classes.pair}>
        <Select
          label="Who approves where nothing else says so"
          data={DECIDERS}
          allowDeselect={false}
          error={error}
          value={approver.role ?? "none"}
          onChange={(role) => role && change({ role: role === "none" ? null : (role as NonNullable<typeof approver.role>) })}
        />
        <NumberInput
          label="How many of them"
          min={1}
          max={10}
          clampBehavior="strict"
          allowDecimal={false}
          value={approver.quorum}
          onChange={(quorum) => typeof quorum === "number" && change({ quorum })}
        />
      </div>
      <MultiSelect
        label={approver.role ? "And these people" : "These people"}
        data={data}
        searchable
        hidePickedOptions
        placeholder={approver.users.length === 0 ? (approver.role ? "Nobody else" : "Choose people") : undefined}
        value={approver.users}
        onChange={(users) => change({ users })}
      />
      <Checkbox
        label="Never the person the agent works for"
        checked={approver.four_eyes}
        onChange={(event) => change({ four_eyes: event.currentTarget.checked, requester: false })}
      />
    </>
  );
}

function Agents({ value, set, error }: PartProps) {
  const agents = useAgents().data;
  const data = useMemo(() => optionsOf(agents, value.admin_agents, "an agent that is gone"), [agents, value.admin_agents]);
  return (
    <MultiSelect
      label="Agents that may manage the platform"
      description="They may use tools of trust level admin."
      inputWrapperOrder={ORDER}
      data={data}
      searchable
      hidePickedOptions
      error={error}
      placeholder={value.admin_agents.length === 0 ? "None" : undefined}
      value={value.admin_agents}
      onChange={(admin_agents) => set({ admin_agents })}
    />
  );
}

function optionsOf(list: readonly { id: string; name: string }[] | undefined, chosen: readonly string[], gone: string) {
  const known = (list ?? []).map(({ id, name }) => ({ value: id, label: name }));
  const missing = chosen.filter((id) => !known.some((one) => one.value === id));
  return [...known, ...missing.map((id) => ({ value: id, label: list ? gone : "…" }))];
}
