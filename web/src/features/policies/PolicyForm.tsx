/** Writing a policy: fields or text, what it would have changed, saving, what others saved meanwhile, removing. */
import { Alert, Button, Group, SegmentedControl, Select, Switch, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconAlertTriangle, IconHistory } from "@tabler/icons-react";
import { useMemo, useState } from "react";

import type { Draft, Policy, RuleType } from "@/api/policies";
import { useMe } from "@/api/me";
import { LeaveGuard } from "@/ui/LeaveGuard";
import { LinkAnchor, LinkButton } from "@/ui/links";
import { PageHeader } from "@/ui/PageHeader";

import { Section } from "./fields";
import { blank, contentOf, fromContent, type Values } from "./form";
import { HistoryPanel } from "./History";
import { type Place, stands } from "./places";
import classes from "./PolicyForm.module.css";
import { Preview } from "./Preview";
import { Remove } from "./Remove";
import { RuleFields } from "./RuleFields";
import { ScopeFields } from "./ScopeFields";
import { TextView } from "./TextView";
import { type Editing, useEditing, type View } from "./useEditing";
import { useNames } from "./useNames";
import { type Saving, useSaving } from "./useSaving";
import { placeWords, TYPES } from "./words";

interface Props {
  /** Null for a new one. */
  policy: Policy | null;
  type: RuleType;
  places: readonly Place[];
  place: Place;
  /** The rule as it is stored, where this app cannot read it. */
  stored: object | null;
  history?: History;
}

/** What it has said, beside the form: open or not, also once an older state is back. */
export interface History {
  opened: boolean;
  open: (opened: boolean) => void;
  onRestored: (policy: Policy) => void;
}

const SETTLE_MS = 900;

export function PolicyForm({ policy, type, places, place: first, stored, history }: Props) {
  const zone = useMe().data?.user.time_zone ?? "UTC";
  const [initial] = useState(() => initialOf(policy, type, zone));
  const [place, setPlace] = useState(first);
  const names = useNames();
  const editing = useEditing(initial, stored);
  const { form, view } = editing;
  const dirty = editing.changed();
  const saving = useSaving({ policy, place, editing });
  return (
    <div className={classes.page}>
      <form className={classes.main} noValidate onSubmit={(event) => { event.preventDefault(); saving.save(); }}>
        <PageHeader title={policy?.name ?? "New policy"} note={noteOf(policy, dirty, names)}>
          {history ? (
            <Button variant="subtle" color="gray" px="sm" leftSection={<IconHistory size={16} stroke={1.5} />}
              aria-expanded={history.opened} onClick={() => history.open(!history.opened)}>
              History
            </Button>
          ) : null}
          <LinkButton visibleFrom="sm" variant="default" to="/policies">Cancel</LinkButton>
          <Button type="submit" loading={saving.busy} disabled={Boolean(policy) && !dirty}>{policy ? "Save" : "Create"}</Button>
        </PageHeader>
        <div className={classes.scroll}>
          <div className={classes.form}>
            <Notices saving={saving} />
            <Basics editing={editing} policy={policy} places={places} place={place} onPlace={setPlace} />
            {view === "form" ? (
              <>
                <Section title={TYPES[form.values.type].label} help={TYPES[form.values.type].help}>
                  <RuleFields form={form} />
                </Section>
                <ScopeFields form={form} />
              </>
            ) : (
              <TextView text={editing.text} label={view === "json" ? "Policy as JSON" : "Policy as YAML"} error={wrongWords(editing)} onChange={editing.setText} />
            )}
            <Before policy={policy} place={place} editing={editing} changed={dirty || !policy} />
            {policy ? <Remove policy={policy} onGone={saving.leave} /> : null}
          </div>
        </div>
      </form>
      {policy && history?.opened ? <HistoryPanel policy={policy} onClose={() => history.open(false)} onRestored={history.onRestored} /> : null}
      <LeaveGuard blocked={() => !saving.leaving.current && dirty} />
    </div>
  ); // prettier-ignore
}

function initialOf(policy: Policy | null, type: RuleType, zone: string): Values {
  const content = policy ? contentOf(policy) : null;
  if (content) return fromContent(content, zone);
  const { name = "", enabled = true, priority = 100 } = policy ?? {};
  return { ...blank(type, zone), name, enabled, priority };
}

function noteOf(policy: Policy | null, dirty: boolean, names: ReturnType<typeof useNames>): string {
  if (!policy) return "In force from the next step of every turn";
  return dirty ? "Not saved yet" : placeWords(policy, names);
}

function wrongWords({ wrong }: Editing): string | undefined {
  if (!wrong) return undefined;
  return wrong.line === null ? wrong.words : `Line ${wrong.line}: ${wrong.words}`;
}

interface BasicsProps {
  editing: Editing;
  policy: Policy | null;
  places: readonly Place[];
  place: Place;
  onPlace: (place: Place) => void;
}

const VIEWS: { value: View; label: string }[] = [
  { value: "form", label: "Form" },
  { value: "yaml", label: "YAML" },
  { value: "json", label: "JSON" },
];

function Basics({ editing, policy, places, place, onPlace }: BasicsProps) {
  const { form, view } = editing;
  return (
    <div className={classes.section}>
      <div className={classes.bar}>
        <SegmentedControl aria-label="Write it as" size="xs" value={view} onChange={(value) => editing.turn(value)} data={VIEWS} />
        {policy ? null : <LinkAnchor to="/policies/new" search={searchOf(place)} fz="sm">Another kind</LinkAnchor>}
      </div>
      {policy ? null : (
        <Select
          label="Holds for"
          description={place.help}
          data={places.map(({ key, title, layer }) => ({ value: key, label: layer === "team" ? `Team ${title}` : layer === "user" ? "Only me" : "The whole account" }))}
          allowDeselect={false}
          value={place.key}
          onChange={(key) => {
            const next = places.find((one) => one.key === key);
            if (next) onPlace(next);
          }}
        />
      )}
      {view === "form" ? (
        <>
          <TextInput label="Name" withAsterisk maxLength={200} autoComplete="off" placeholder="What it is about, in a few words" {...form.getInputProps("name")} />
          <Switch label="In force" {...form.getInputProps("enabled", { type: "checkbox" })} />
        </>
      ) : null}
    </div>
  ); // prettier-ignore
}

export function searchOf({ layer, team_id }: Pick<Place, "layer" | "team_id">) {
  return { layer, ...(team_id ? { team: team_id } : {}) };
}

function Notices({ saving }: { saving: Saving }) {
  const icon = useMemo(() => <IconAlertTriangle size={18} stroke={1.5} />, []);
  if (saving.conflict) {
    return (
      <Alert color="yellow" icon={icon} title="Somebody changed this policy meanwhile" role="alert">
        {saving.conflict} What you wrote is still here and not saved.
        <Group mt="sm" gap="sm">
          <Button size="xs" variant="default" onClick={() => window.location.reload()}>Discard mine, show theirs</Button>
          <Button size="xs" variant="default" loading={saving.busy} onClick={saving.saveOver}>Save mine over it</Button>
        </Group>
      </Alert>
    ); // prettier-ignore
  }
  if (!saving.refused) return null;
  return (
    <Alert color="red" icon={icon} title={saving.refused.title} role="alert">
      {saving.refused.words}
    </Alert>
  );
}

interface BeforeProps {
  policy: Policy | null;
  place: Place;
  editing: Editing;
  changed: boolean;
}

/** What it would have changed, asked once the writer rests. */
function Before({ policy, place, editing, changed }: BeforeProps) {
  const names = useNames();
  const written = editing.read(false);
  const moved = policy !== null && !stands(policy, place);
  const asked = written && changed && !moved ? JSON.stringify(draftOf(policy, place, written)) : null;
  const [settled] = useDebouncedValue(asked, SETTLE_MS);
  const draft = useMemo(() => (settled === null ? null : (JSON.parse(settled) as Draft)), [settled]);
  const without = !written
    ? "It is shown here once the policy is whole."
    : changed
      ? "Looking in a moment."
      : "It is shown here once you change something.";
  return <Preview draft={asked === null ? null : draft} without={without} names={names} />;
}

function draftOf(policy: Policy | null, { layer, team_id }: Place, written: object): Draft {
  return { policy: { layer, team_id, ...written } as NonNullable<Draft["policy"]>, ...(policy ? { policy_id: policy.id } : {}) };
}
