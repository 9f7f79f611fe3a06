import { Button, Select, TextInput } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useState, type ReactNode } from "react";

import {
  EXPORTS, exportUrl, usePreferences, useSetPreferences, useUpdateChannel,
  type Channel, type ChannelChange, type Delivery, type InputPolicy,
} from "@/api/channels"; // prettier-ignore
import { ApiError } from "@/api/client";
import { DELIVERIES, isByBelonging, KINDS, POLICIES, type Words } from "@/lib/channels";
import { ErrorState } from "@/ui/ErrorState";
import { notifyError } from "@/ui/notify";
import { TimeAgo } from "@/ui/TimeAgo";

import classes from "./ChannelDetails.module.css";
import { Endings } from "./Endings";

interface Props {
  channel: Channel;
  /** Whether this person may change the channel. */
  may: boolean;
}

/** What the channel is called and how agents behave in it; what is only one's own; and putting it away. */
export function Settings({ channel, may }: Props) {
  const update = useUpdateChannel(channel.id);
  const open = may && !channel.archived_at;
  const change = (body: ChannelChange) => update.mutate(body);
  const errors = update.error instanceof ApiError ? update.error.fields() : {};
  const rest = update.error && Object.keys(errors).length === 0 ? update.error : null;
  return (
    <div className={classes.sections}>
      <Section title="About">
        {open && (
          <>
            <Line label="Name" value={channel.name} error={errors["name"]} onSave={(name) => change({ name })} />
            <Line
              label="Short name"
              description="Small letters, digits and dashes."
              value={channel.slug ?? ""}
              optional
              error={errors["slug"] ?? (isTaken(rest) ? "Another channel has this short name. Choose another." : undefined)}
              onSave={(slug) => change({ slug: slug || null })}
            />
          </>
        )}
        <p className={classes.facts}>
          {KINDS[channel.kind].label} channel, made <TimeAgo when={channel.created_at} />. {KINDS[channel.kind].help}
        </p>
        {!may && <p className={classes.facts}>Owners of the channel and admins can change this.</p>}
        {channel.archived_at && <p className={classes.facts}>It is archived: it can be read, not written to.</p>}
      </Section>
      <Section title="How agents work here">
        <Choice
          label="New messages during a turn"
          words={POLICIES}
          value={channel.input_policy}
          readOnly={!open}
          onChange={(input_policy: InputPolicy) => change({ input_policy })}
        />
        <Choice
          label="Replies appear"
          words={DELIVERIES}
          value={channel.default_delivery}
          readOnly={!open}
          onChange={(default_delivery: Delivery) => change({ default_delivery })}
        />
        <Debounce
          value={channel.debounce_ms}
          readOnly={!open}
          error={errors["debounce_ms"]}
          onSave={(debounce_ms) => change({ debounce_ms })}
        />
        {rest && !isTaken(rest) && <ErrorState inline error={rest} what="the change" />}
      </Section>
      <Mine channel={channel} />
      <Section title="Export">
        <p className={classes.facts}>Everything said here that you can read, as a file.</p>
        <div className={classes.buttons}>
          {EXPORTS.map(([format, label]) => (
            <Button
              key={format}
              component="a"
              href={exportUrl(channel.id, format)}
              download
              size="xs"
              variant="default"
              leftSection={<IconDownload size={16} stroke={1.5} />}
            >
              {label}
            </Button>
          ))}
        </div>
      </Section>
      <Endings channel={channel} may={may} leavable={!isByBelonging(channel.kind)} />
    </div>
  );
}

function isTaken(error: Error | null): boolean {
  return error instanceof ApiError && error.code === "already_exists";
}

export function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={classes.section}>
      <h3 className={classes.title}>{title}</h3>
      {children}
    </section>
  );
}

interface LineProps {
  label: string;
  description?: string;
  value: string;
  optional?: boolean;
  error: string | undefined;
  onSave: (value: string) => void;
}

/** One line of text, saved when it is left or with Enter; Esc puts back what was there. */
function Line({ label, description, value, optional = false, error, onSave }: LineProps) {
  const [text, setText] = useState<string | null>(null);
  const shown = text ?? value;
  const save = () => {
    const next = shown.trim();
    if (next === value || (!next && !optional)) setText(null);
    else onSave(next);
  };
  if (text !== null && text.trim() === value) setText(null);
  return (
    <TextInput
      label={label}
      description={description}
      value={shown}
      error={error}
      maxLength={120}
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={save}
      onKeyDown={(event) => {
        if (event.key === "Enter") event.currentTarget.blur();
        if (event.key === "Escape" && text !== null) {
          event.stopPropagation();
          event.preventDefault();
          setText(null);
        }
      }}
    />
  );
}

interface ChoiceProps<V extends string> {
  label: string;
  words: Record<V, Words>;
  value: V;
  readOnly: boolean;
  onChange: (value: V) => void;
}

function Choice<V extends string>({ label, words, value, readOnly, onChange }: ChoiceProps<V>) {
  const options = Object.entries<Words>(words).map(([key, { label: name }]) => ({ value: key, label: name }));
  if (readOnly) return <Fixed label={label} value={words[value].label} help={words[value].help} />;
  return (
    <Select
      label={label}
      description={words[value].help}
      inputWrapperOrder={["label", "input", "description", "error"]}
      data={options}
      value={value}
      allowDeselect={false}
      onChange={(next) => next !== null && onChange(next as V)}
    />
  );
}

function Fixed({ label, value, help }: { label: string; value: string; help: string }) {
  return (
    <div className={classes.fixed}>
      <span className={classes.label}>{label}</span>
      <span>{value}</span>
      <span className={classes.help}>{help}</span>
    </div>
  );
}

const PAUSES = [
  { value: "0", label: "At once" },
  { value: "1000", label: "1 second after the last message" },
  { value: "3000", label: "3 seconds after the last message" },
  { value: "10000", label: "10 seconds after the last message" },
  { value: "30000", label: "30 seconds after the last message" },
  { value: "60000", label: "1 minute after the last message" },
];

interface DebounceProps {
  value: number;
  readOnly: boolean;
  error: string | undefined;
  onSave: (ms: number) => void;
}

function Debounce({ value, readOnly, error, onSave }: DebounceProps) {
  const known = PAUSES.find((one) => one.value === String(value));
  const own = known ? [] : [{ value: String(value), label: `${value / 1000} seconds after the last message` }];
  const help = "A burst of messages becomes one turn.";
  const label = "Agents begin";
  if (readOnly) return <Fixed label={label} value={(known ?? own[0])?.label ?? ""} help={help} />;
  return (
    <Select
      label={label}
      description={help}
      inputWrapperOrder={["label", "input", "description", "error"]}
      data={[...own, ...PAUSES]}
      value={String(value)}
      error={error}
      allowDeselect={false}
      onChange={(next) => next !== null && onSave(Number(next))}
    />
  );
}

const AS_CHANNEL = "channel";

/** What is chosen here holds for oneself alone. */
function Mine({ channel }: { channel: Channel }) {
  const preferences = usePreferences(channel.id);
  const set = useSetPreferences(channel.id);
  const chosen = preferences.data?.delivery ?? null;
  if (preferences.error && !preferences.data) {
    return (
      <Section title="For you">
        <ErrorState inline error={preferences.error} what="your choices" retry={() => void preferences.refetch()} />
      </Section>
    );
  }
  const asChannel = DELIVERIES[preferences.data?.channel_delivery ?? channel.default_delivery].label;
  return (
    <Section title="For you">
      <Select
        label="Replies to you appear"
        description="Nobody else's replies change."
        inputWrapperOrder={["label", "input", "description", "error"]}
        data={[
          { value: AS_CHANNEL, label: `Channel default: ${asChannel.toLowerCase()}` },
          ...Object.entries(DELIVERIES).map(([value, { label }]) => ({ value, label })),
        ]}
        value={chosen ?? AS_CHANNEL}
        disabled={!preferences.data}
        allowDeselect={false}
        onChange={(next) =>
          set.mutate(
            { delivery: next === AS_CHANNEL || next === null ? null : (next as Delivery) },
            { onError: (error) => notifyError(error, "Couldn't save your choice") },
          )
        }
      />
    </Section>
  );
}
