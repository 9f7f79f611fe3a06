/** What an agent should know about whoever reads this, and how it should answer them. Nobody else's turns change. */
import { ActionIcon, Button, Select, Textarea, TextInput } from "@mantine/core";
import { useForm, type UseFormReturnType } from "@mantine/form";
import { IconPlus, IconX } from "@tabler/icons-react";

import type { Agent } from "@/api/agents";
import { ApiError } from "@/api/client";
import { useMyConfig, useSetMyConfig, type MyConfig } from "@/api/myConfig";
import { locales, zones } from "@/lib/places";
import { ErrorState } from "@/ui/ErrorState";
import { LeaveGuard } from "@/ui/LeaveGuard";
import { ListSkeleton } from "@/ui/ListSkeleton";
import { notifyError } from "@/ui/notify";
import { TimeAgo } from "@/ui/TimeAgo";

import classes from "./ForYou.module.css";
import { changeOf, check, MOST, newRow, placed, valuesOf, type Values } from "./ownWishes";
import { Section } from "./Section";

const LENGTHS = [
  { value: "short", label: "Short" },
  { value: "medium", label: "Medium" },
  { value: "long", label: "Long" },
];

type Form = UseFormReturnType<Values>;

export function ForYou({ agent }: { agent: Agent }) {
  const config = useMyConfig(agent.id);
  if (config.data) return <Fields agent={agent} config={config.data} />;
  if (config.isError) return <ErrorState error={config.error} what="what you set" retry={() => void config.refetch()} />;
  return <ListSkeleton rows={5} height={52} label="Loading what you set" />;
}

function Fields({ agent, config }: { agent: Agent; config: MyConfig }) {
  const set = useSetMyConfig(agent.id);
  const form = useForm<Values>({ initialValues: valuesOf(config), validate: check, clearInputErrorOnChange: true });

  function save(values: Values): void {
    set.mutate(changeOf(values), {
      onSuccess: (saved) => {
        const now = valuesOf(saved);
        form.setValues(now);
        form.resetDirty(now);
      },
      onError: (error) => {
        const places = error instanceof ApiError ? placed(error.fields(), values) : null;
        if (places) form.setErrors(places);
        else notifyError(error, "Couldn't save what you set");
      },
    });
  }

  const dirty = form.isDirty();
  return (
    <form className={classes.form} onSubmit={form.onSubmit(save)} noValidate>
      <LeaveGuard blocked={() => form.isDirty() && !set.isPending} />
      <Answers agent={agent} form={form} />
      <Facts agent={agent} form={form} />
      <div className={classes.save}>
        <Button type="submit" loading={set.isPending} disabled={!dirty}>
          Save
        </Button>
        <span role="status" className={classes.state}>
          <State dirty={dirty} config={config} justSaved={set.isSuccess} />
        </span>
      </div>
    </form>
  );
}

function State({ dirty, config, justSaved }: { dirty: boolean; config: MyConfig; justSaved: boolean }) {
  if (dirty) return "Not saved yet.";
  if (justSaved) return "Saved. It holds from your next message on.";
  if (config.updated_at === null) return "Nothing set yet.";
  return (
    <>
      Saved <TimeAgo when={config.updated_at} />
    </>
  );
}

function Answers({ agent, form }: { agent: Agent; form: Form }) {
  const { locale, time_zone } = form.values;
  return (
    <Section title="How it should answer you" help={`${agent.name} keeps to this when you ask. Others are answered as before.`}>
      <Textarea
        label="In your own words"
        placeholder="Get to the point. Explain terms from finance."
        autosize
        minRows={3}
        maxRows={12}
        maxLength={1000}
        {...form.getInputProps("style")}
      />
      <div className={classes.choices}>
        <Select
          label="Language"
          placeholder="The one you write in"
          data={locales(locale ?? "en-GB")}
          searchable
          clearable
          clearButtonProps={{ "aria-label": "Clear the language" }}
          nothingFoundMessage="No such language"
          {...form.getInputProps("locale")}
        />
        <Select
          label="Time zone"
          placeholder="Not set"
          data={zones(time_zone ?? "UTC")}
          limit={100}
          searchable
          clearable
          clearButtonProps={{ "aria-label": "Clear the time zone" }}
          nothingFoundMessage="No such time zone"
          {...form.getInputProps("time_zone")}
        />
        <Select
          label="Length"
          placeholder="As it sees fit"
          data={LENGTHS}
          clearable
          clearButtonProps={{ "aria-label": "Clear the length" }}
          {...form.getInputProps("reply_length")}
        />
      </div>
    </Section>
  );
}

function Facts({ agent, form }: { agent: Agent; form: Form }) {
  const { rows } = form.values;
  return (
    <Section
      title="What it should know about you"
      help={`${agent.name} reads this at every question of yours. It is no place for passwords.`}
    >
      {rows.length > 0 && (
        <ul className={classes.rows}>
          {rows.map((row, index) => (
            <li key={row.key} className={classes.row}>
              <TextInput
                aria-label={`Name ${index + 1}`}
                placeholder="Preferred name"
                maxLength={60}
                {...form.getInputProps(`rows.${index}.name`)}
              />
              <TextInput
                aria-label={row.name.trim() || `Value ${index + 1}`}
                placeholder="Ann"
                className={classes.value}
                maxLength={1000}
                {...form.getInputProps(`rows.${index}.value`)}
              />
              <ActionIcon
                aria-label={`Remove ${row.name.trim() || `row ${index + 1}`}`}
                size={36}
                onClick={() => form.removeListItem("rows", index)}
              >
                <IconX size={18} stroke={1.5} />
              </ActionIcon>
            </li>
          ))}
        </ul>
      )}
      <div>
        <Button
          variant="default"
          leftSection={<IconPlus size={16} stroke={1.5} />}
          disabled={rows.length >= MOST}
          onClick={() => form.insertListItem("rows", newRow())}
        >
          {rows.length === 0 ? "Add a fact" : "Add another"}
        </Button>
      </div>
    </Section>
  );
}
