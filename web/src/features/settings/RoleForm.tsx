/** Making a worker role and changing one. */
import { ActionIcon, Button, Checkbox, Group, MultiSelect, NativeSelect, NumberInput, Radio, TagsInput, Textarea, TextInput } from "@mantine/core";
import { useForm, type UseFormReturnType } from "@mantine/form";
import { IconPlus, IconX } from "@tabler/icons-react";
import { type ReactNode, useEffect, useRef } from "react";

import { ApiError } from "@/api/client";
import { usePeople } from "@/api/members";
import { useCreateRole, useUpdateRole, type WorkerRole } from "@/api/roles";
import { useTools } from "@/api/tools";
import { ROLE_WORDS, ROLES } from "@/lib/roles";
import { notifyError } from "@/ui/notify";

import { check, ENVIRONMENTS, newRule, type RoleValues, serverErrors, TIERS, toRole, valuesOf } from "./roleForm";
import classes from "./RoleForm.module.css";

type Form = UseFormReturnType<RoleValues>;

export function RoleForm({ role, onDone }: { role: WorkerRole | null; onDone: () => void }) {
  const form = useForm<RoleValues>({ initialValues: valuesOf(role), validate: check, clearInputErrorOnChange: true });
  const create = useCreateRole();
  const update = useUpdateRole(role?.id ?? "");
  const top = useRef<HTMLFormElement>(null);
  useEffect(() => top.current?.querySelector("input")?.focus(), []);
  function save(values: RoleValues): void {
    const done = {
      onSuccess: onDone,
      onError: (error: unknown) => {
        const taken = error instanceof ApiError && error.code === "already_exists" ? { name: error.detail } : null;
        const found: Record<string, string> = taken ?? (error instanceof ApiError ? serverErrors(error.fields()) : {});
        form.setErrors(found);
        if (Object.keys(found).length === 0 || found[""]) notifyError(error, "Couldn't save the role");
      },
    };
    const body = toRole(values, role);
    if (role) update.mutate(body, done);
    else create.mutate(body, done);
  }
  return (
    <form ref={top} className={classes.form} onSubmit={form.onSubmit(save)} noValidate aria-label={role ? `Edit ${role.name}` : "New role"}>
      <TextInput label="Name" maxLength={200} autoComplete="off" {...form.getInputProps("name")} />
      <Textarea label="What it is for" autosize minRows={1} maxRows={6} {...form.getInputProps("description")} />
      <Radio.Group label="What agents of this role may do" {...form.getInputProps("tier")}>
        <div className={classes.choices}>
          {Object.entries(TIERS).map(([tier, { label, help }]) => (
            <Radio key={tier} value={tier} label={label} description={help} />
          ))}
        </div>
      </Radio.Group>
      <Scope form={form} />
      <Bounds form={form} />
      <Approvers form={form} />
      <Rules form={form} />
      <Group gap="sm">
        <Button type="submit" loading={create.isPending || update.isPending}>
          {role ? "Save" : "Make role"}
        </Button>
        <Button variant="default" onClick={onDone}>
          Cancel
        </Button>
      </Group>
    </form>
  );
}

function Part({ title, help, children }: { title: string; help?: string; children: ReactNode }) {
  return (
    <fieldset className={classes.part}>
      <legend>{title}</legend>
      {help && <p className={classes.help}>{help}</p>}
      {children}
    </fieldset>
  );
}

function Scope({ form }: { form: Form }) {
  const slugs = (useTools().data ?? []).map((tool) => tool.slug);
  const { values } = form;
  return (
    <Part title="Its reach">
      <Checkbox label="Only some tools" {...form.getInputProps("allow.on", { type: "checkbox" })} />
      {values.allow.on && (
        <TagsInput aria-label="Only these tools" description="* stands for any letters. None: no tool at all." data={slugs} clearable
          {...form.getInputProps("allow.list")} error={form.errors["allow"]} />
      )}
      <TagsInput label="Never these tools" data={slugs} {...form.getInputProps("deny")} />
      <Checkbox label="Reads only some kinds of data" {...form.getInputProps("reads.on", { type: "checkbox" })} />
      {values.reads.on && (
        <TagsInput aria-label="Kinds of data it may read" description="Categories of tools, such as customer_data."
          {...form.getInputProps("reads.list")} error={form.errors["reads"]} />
      )}
      <Checkbox label="Changes only some kinds of data" {...form.getInputProps("writes.on", { type: "checkbox" })} />
      {values.writes.on && (
        <TagsInput aria-label="Kinds of data it may change" description="Categories of tools, such as external_email."
          {...form.getInputProps("writes.list")} error={form.errors["writes"]} />
      )}
      <Checkbox label="Acts only in some places" {...form.getInputProps("places.on", { type: "checkbox" })} />
      {values.places.on && (
        <Checkbox.Group aria-label="Where it may act" {...form.getInputProps("places.list")}>
          <div className={classes.inner}>
            {Object.entries(ENVIRONMENTS).map(([place, words]) => (
              <Checkbox key={place} value={place} label={words} />
            ))}
          </div>
        </Checkbox.Group>
      )}
    </Part>
  ); // prettier-ignore
}

function Bounds({ form }: { form: Form }) {
  return (
    <Part title="Bounds of one turn" help="Empty: no bound of this role.">
      <div className={classes.pair}>
        <TextInput label="Spends at most" leftSection="$" inputMode="decimal" {...form.getInputProps("spend")} />
        <TextInput label="Asks once it has spent" leftSection="$" inputMode="decimal" {...form.getInputProps("threshold")} />
        <NumberInput label="Works at most, in minutes" min={0.02} hideControls {...form.getInputProps("minutes")} />
        <NumberInput label="Does at once at most" min={1} allowDecimal={false} hideControls {...form.getInputProps("steps")} />
      </div>
    </Part>
  );
}

function Approvers({ form }: { form: Form }) {
  const people = (usePeople().data ?? []).filter((person) => person.status === "active" && person.role);
  return (
    <Part title="Who decides what it may not do alone">
      <div className={classes.pair}>
        <NativeSelect label="Everyone who is at least"
          data={[...ROLES.map((role) => ({ value: role, label: ROLE_WORDS[role].label })), { value: "nobody", label: "Only people named here" }]}
          {...form.getInputProps("approver")} />
        <NumberInput label="How many have to agree" min={1} max={10} allowDecimal={false} {...form.getInputProps("quorum")} />
      </div>
      <MultiSelect label="And these people" searchable nothingFoundMessage="Nobody of that name"
        data={people.map((person) => ({ value: person.id, label: person.name }))} {...form.getInputProps("users")} />
      <Checkbox label="And the person it works for" {...form.getInputProps("requester", { type: "checkbox" })} />
      <Checkbox label="Never the person it works for (four eyes)" {...form.getInputProps("four_eyes", { type: "checkbox" })} />
    </Part>
  ); // prettier-ignore
}

function Rules({ form }: { form: Form }) {
  const slugs = (useTools().data ?? []).map((tool) => tool.slug);
  return (
    <Part title="Rules" help="Calls that are asked about or refused, whatever else this role allows. All that a rule names must hold.">
      {form.values.rules.map((rule, at) => (
        <div key={rule.key} className={classes.rule} role="group" aria-label={`Rule ${at + 1}`}>
          <div className={classes.ruleHead}>
            <NativeSelect aria-label={`Rule ${at + 1}: what happens`} data={[{ value: "ask", label: "Ask a person" }, { value: "deny", label: "Refuse" }]}
              {...form.getInputProps(`rules.${at}.action`)} />
            <ActionIcon aria-label={`Remove rule ${at + 1}`} size={36} onClick={() => form.removeListItem("rules", at)}>
              <IconX size={18} stroke={1.5} />
            </ActionIcon>
          </div>
          <TagsInput label="When it uses" data={slugs} {...form.getInputProps(`rules.${at}.tools`)} error={form.errors[`rules.${at}`]} />
          <TagsInput label="Of these categories" placeholder="external_email" {...form.getInputProps(`rules.${at}.categories`)} />
          <div className={classes.pair}>
            <TextInput label="Once the turn costs more than" leftSection="$" inputMode="decimal" {...form.getInputProps(`rules.${at}.spent`)} />
            <NumberInput label="After so many calls of it" min={0} allowDecimal={false} hideControls {...form.getInputProps(`rules.${at}.calls`)} />
          </div>
          {rule.rest.where.length > 0 && (
            <p className={classes.help}>
              And where {rule.rest.where.map(({ argument, is, value }) => `${argument} is ${is.replaceAll("_", " ")} ${String(value)}`).join(", ")}.
            </p>
          )}
        </div>
      ))}
      <div>
        <Button variant="default" leftSection={<IconPlus size={16} stroke={1.5} />} onClick={() => form.insertListItem("rules", newRule())}>
          {form.values.rules.length === 0 ? "Add a rule" : "Add another"}
        </Button>
      </div>
    </Part>
  ); // prettier-ignore
}
