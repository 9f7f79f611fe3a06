import { Alert, Button, Modal, MultiSelect, Radio, Select, TextInput } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState, type SyntheticEvent } from "react";

import { useAgents } from "@/api/agents";
import { useCreateChannel } from "@/api/channels";
import { ApiError } from "@/api/client";
import { useMe } from "@/api/me";
import { useTeams } from "@/api/teams";
import { useUsers } from "@/api/users";
import { isByBelonging, KIND_ORDER, KINDS, whyNot } from "@/lib/channels";
import { isAdmin } from "@/lib/roles";

import classes from "./ChannelsPage.module.css";
import { BLANK, body, check, placed, type Errors, type Form } from "./newChannel";

interface Props {
  opened: boolean;
  onClose: () => void;
}

/** Makes a channel, then goes there. */
export function NewChannel({ opened, onClose }: Props) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title="New channel"
      size="lg"
      classNames={{ title: classes.modalTitle }}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <ChannelForm onClose={onClose} />
    </Modal>
  );
}

function ChannelForm({ onClose }: { onClose: () => void }) {
  const [form, setForm] = useState(BLANK);
  const [errors, setErrors] = useState<Errors>({});
  const [refusal, setRefusal] = useState<string | null>(null);
  const create = useCreateChannel();
  const navigate = useNavigate();
  const change = (part: Partial<Form>) => {
    setForm((now) => ({ ...now, ...part }));
    setErrors((now) => Object.fromEntries(Object.entries(now).filter(([name]) => !(name in part))));
    setRefusal(null);
  };
  const fail = (error: unknown) => {
    if (!(error instanceof ApiError)) {
      setRefusal("Couldn't make the channel. Try again in a moment.");
      return;
    }
    const found = placed(error.fields());
    setErrors(found.errors);
    if (Object.keys(found.errors).length === 0 || found.rest.length > 0) setRefusal(error.detail);
  };
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    const wrong = check(form);
    setErrors(wrong);
    if (Object.keys(wrong).length > 0) return;
    create.mutate(body(form), {
      onError: fail,
      onSuccess: (made) => void navigate({ to: "/channels/$channelId", params: { channelId: made.id }, search: {} }),
    });
  };
  return (
    <form className={classes.form} onSubmit={submit} noValidate>
      <TextInput
        label="Name"
        placeholder="What it is about"
        data-autofocus
        required
        value={form.name}
        error={errors.name}
        onChange={(event) => change({ name: event.currentTarget.value })}
      />
      <Kind form={form} error={errors.kind} onChange={change} />
      {form.kind === "team" && <Team value={form.teamId} error={errors.teamId} onChange={(teamId) => change({ teamId })} />}
      <Members form={form} error={errors.members} onChange={(members) => change({ members })} />
      {refusal && (
        <Alert color="red" role="alert">
          {refusal}
        </Alert>
      )}
      <div className={classes.formActions}>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" loading={create.isPending}>
          Make channel
        </Button>
      </div>
    </form>
  );
}

interface FieldProps {
  form: Form;
  error: string | undefined;
}

function Kind({ form, error, onChange }: FieldProps & { onChange: (part: Partial<Form>) => void }) {
  const me = useMe().data;
  const leads = me ? me.role !== "member" : false;
  return (
    <Radio.Group
      label="Kind"
      value={form.kind}
      error={error}
      onChange={(kind) => onChange({ kind, ...(isByBelonging(kind) ? { members: onlyAgents(form.members) } : {}) })}
    >
      <div className={classes.kinds}>
        {KIND_ORDER.map((kind) => {
          const refused = whyNot(kind, me, leads);
          return (
            <Radio.Card key={kind} value={kind} className={classes.kind} disabled={refused !== null} data-disabled={refused !== null || undefined}>
              <Radio.Indicator disabled={refused !== null} />
              <span className={classes.kindWords}>
                {KINDS[kind].label}
                <span className={classes.kindHelp}>{refused ?? KINDS[kind].help}</span>
              </span>
            </Radio.Card>
          );
        })}
      </div>
    </Radio.Group>
  );
}

function onlyAgents(ids: readonly string[]): string[] {
  return ids.filter((id) => id.startsWith("agt_"));
}

interface TeamProps {
  value: string | null;
  error: string | undefined;
  onChange: (teamId: string | null) => void;
}

function Team({ value, error, onChange }: TeamProps) {
  const teams = useTeams();
  const failed = teams.isError && !teams.data ? "Couldn't load the teams. Close and try again." : undefined;
  return (
    <Select
      label="Team"
      placeholder="Choose a team"
      required
      searchable
      nothingFoundMessage="No team by that name"
      data={teams.data?.map((team) => ({ value: team.id, label: team.name })) ?? []}
      value={value}
      error={error ?? failed}
      description={teams.data?.length === 0 ? "There are no teams yet. An admin makes them in Settings." : undefined}
      onChange={onChange}
    />
  );
}

function Members({ form, error, onChange }: FieldProps & { onChange: (members: string[]) => void }) {
  const admin = isAdmin(useMe().data);
  const me = useMe().data?.user.id;
  const users = useUsers();
  const agents = useAgents();
  const belonging = isByBelonging(form.kind);
  const data = useMemo(() => {
    const people = users.data?.filter((one) => one.id !== me && one.status === "active") ?? [];
    const working = agents.data?.filter((one) => one.status !== "deactivated") ?? [];
    return [
      { group: "Agents", items: working.map((one) => ({ value: one.id, label: one.name })) },
      ...(belonging ? [] : [{ group: "People", items: people.map((one) => ({ value: one.id, label: one.name })) }]),
    ];
  }, [users.data, agents.data, me, belonging]);
  return (
    <MultiSelect
      label={belonging ? "Agents" : "People and agents"}
      description={admin || !belonging ? "More can be added later." : undefined}
      placeholder={form.members.length === 0 ? "Add by name" : undefined}
      searchable
      clearable
      hidePickedOptions
      nothingFoundMessage="Nobody by that name"
      data={data}
      value={form.members}
      error={error}
      onChange={onChange}
    />
  );
}
