import { Alert, Button, Group, NativeSelect, Select, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";

import { ApiError } from "@/api/client";
import { keys } from "@/api/keys";
import { useCreatePolicy, useUpdatePolicy, type Policy, type SavedPolicy } from "@/api/policies";
import { zones } from "@/lib/places";
import { notifyDone } from "@/ui/notify";

import {
  check, hasPeriod, moved, PERIODS, remarks, serverErrors, subjects, toChange, toNew, valuesOf, type BudgetValues, type Place,
} from "./budgetForm"; // prettier-ignore
import classes from "./Budgets.module.css";

interface Props {
  policy: Policy | null;
  places: readonly Place[];
  /** The writer's own time zone, for a new one. */
  zone: string;
  onClose: () => void;
  /** Begins again from what somebody else has made of it meanwhile. */
  onAnew: () => void;
}

interface Refused {
  title: string;
  words: string;
  /** Somebody else was quicker. */
  stale?: boolean;
}

export function BudgetForm({ policy, places, zone, onClose, onAnew }: Props) {
  const [began] = useState(policy); // what a change says it was made of
  const form = useForm<BudgetValues>({
    initialValues: valuesOf(began, places[0]?.value ?? "user", zone), validate: check, clearInputErrorOnChange: true,
  }); // prettier-ignore
  const [known, setKnown] = useState<string[]>([]);
  const { save, busy, refused } = useSave(began, (saved) => {
    const found = remarks(saved);
    notifyDone(`“${saved.name}” holds from the next step of every turn.`);
    if (found.length === 0) onClose();
    else setKnown(found);
  }, form.setErrors); // prettier-ignore
  const top = useRef<HTMLFormElement>(null);
  useEffect(() => top.current?.querySelector("input")?.focus({ preventScroll: true }), []);
  const { values } = form;
  if (known.length > 0) return <Remarks known={known} onClose={onClose} />;
  return (
    <form ref={top} className={classes.form} noValidate aria-label={began ? `Edit ${began.name}` : "New budget"} onSubmit={form.onSubmit(save)}>
      <TextInput label="Name" maxLength={200} autoComplete="off" {...form.getInputProps("name")} />
      {began ? null : (
        <NativeSelect label="For" data={[...places]} value={values.place} onChange={(event) => form.setValues(moved(values, event.currentTarget.value))} />
      )}
      <NativeSelect label="Added up" data={subjects(values.place, values.per)} {...form.getInputProps("per")} />
      <div className={classes.pair}>
        <TextInput label="At most" leftSection="$" inputMode="decimal" autoComplete="off" {...form.getInputProps("limit")} />
        {hasPeriod(values.per) ? <NativeSelect label="In" data={PERIODS} {...form.getInputProps("period")} /> : null}
      </div>
      <TextInput
        label="Tell those who can raise it at"
        description="Percent of it that is spent. Empty: nobody is told."
        rightSection="%"
        {...form.getInputProps("warn")}
      />
      {hasPeriod(values.per) && values.period !== "total" ? <Zone {...form.getInputProps("zone")} value={values.zone} /> : null}
      {refused ? (
        <Alert color={refused.stale ? "yellow" : "red"} title={refused.title} role="alert">
          <p className={classes.refused}>{refused.words}</p>
          {refused.stale ? <Button size="xs" variant="default" onClick={onAnew}>Begin again from theirs</Button> : null}
        </Alert>
      ) : null}
      <Group gap="sm">
        <Button type="submit" loading={busy}>{began ? "Save" : "Make budget"}</Button>
        <Button variant="default" onClick={onClose}>Cancel</Button>
      </Group>
    </form>
  ); // prettier-ignore
}

interface ZoneProps {
  value: string;
  onChange?: (value: string | null) => void;
  error?: React.ReactNode;
}

function Zone({ value, onChange, error }: ZoneProps) {
  const data = useMemo(() => zones(value), [value]);
  return (
    <Select label="Days begin at midnight in" data={data} searchable allowDeselect={false} maxDropdownHeight={280} value={value} error={error} {...(onChange ? { onChange } : {})} />
  ); // prettier-ignore
}

function Remarks({ known, onClose }: { known: readonly string[]; onClose: () => void }) {
  return (
    <div className={classes.form} role="status">
      <Alert color="yellow" title="Saved; something to know">
        <ul className={classes.remarks}>
          {known.map((words) => (
            <li key={words}>{words}</li>
          ))}
        </ul>
      </Alert>
      <div>
        <Button variant="default" onClick={onClose} autoFocus>
          Done
        </Button>
      </div>
    </div>
  );
}

type SetErrors = (errors: Record<string, string>) => void;

function useSave(policy: Policy | null, onSaved: (saved: SavedPolicy) => void, setErrors: SetErrors) {
  const [create, update, cache] = [useCreatePolicy(), useUpdatePolicy(), useQueryClient()];
  const [refused, setRefused] = useState<Refused | null>(null);
  const done = {
    onSuccess: (saved: SavedPolicy) => {
      void cache.invalidateQueries({ queryKey: keys.budgets });
      onSaved(saved);
    },
    onError: (error: unknown) => {
      const { fields, refused: words } = reasons(error);
      setErrors(fields);
      setRefused(words);
    },
  };
  function save(values: BudgetValues): void {
    setRefused(null);
    if (policy) update.mutate({ id: policy.id, change: toChange(values, policy) }, done);
    else create.mutate(toNew(values), done);
  }
  return { save, busy: create.isPending || update.isPending, refused };
}

/** What the server said, beside the fields it is about or above the buttons. */
function reasons(error: unknown): { fields: Record<string, string>; refused: Refused | null } {
  if (!(error instanceof ApiError)) return { fields: {}, refused: { title: "Not saved", words: "Something in this page failed. Try again." } };
  if (error.code === "already_exists") return { fields: { name: error.detail }, refused: null };
  if (error.code === "wrong_state") return { fields: {}, refused: { title: "Not saved", words: error.detail, stale: true } };
  if (error.code === "loosens") return { fields: {}, refused: { title: "Not saved: a policy above gives less", words: error.detail } };
  const { "": rest, ...fields } = serverErrors(error.fields());
  const words = rest ?? (Object.keys(fields).length > 0 ? null : error.detail);
  return { fields, refused: words === null ? null : { title: "Not saved", words } };
}
