/** What a rule says: other fields for each kind. */
import { Button, Checkbox, Chip, Group, NumberInput, SegmentedControl, Select, TagsInput, Textarea, TextInput } from "@mantine/core";
import { useMemo, type ComponentType } from "react";

import { useModels } from "@/api/models";
import type { RuleType } from "@/api/policies";

import { ApprovalFields } from "./ApprovalFields";
import { AskFields } from "./AskFields";
import { ORDER, SpanField, ToolsPick, ZoneField } from "./fields";
import classes from "./PolicyForm.module.css";
import type { Form } from "./useForm";
import { ALL_DAYS, DAYS, DETECT } from "./words";

interface Props {
  form: Form;
}

const FIELDS: Record<RuleType, ComponentType<Props>> = {
  tool_restriction: ToolFields,
  content_restriction: ContentFields,
  approval: ApprovalFields,
  model_allow_list: ModelFields,
  network_egress: HostFields,
  time_window: TimeFields,
  trigger_mode_restriction: TriggerFields,
  delegation_depth: DepthFields,
  cost_limit: CostFields,
  rate_limit: RateFields,
};

export function RuleFields({ form }: Props) {
  const Fields = FIELDS[form.values.type];
  return <Fields form={form} />;
}

function ToolFields({ form }: Props) {
  const { limited, actions } = form.values.tool;
  return (
    <>
      <div className={classes.choice}>
        <SegmentedControl
          aria-label="Which tools may be used"
          value={limited ? "only" : "any"}
          onChange={(value) => form.setFieldValue("tool.limited", value === "only")}
          data={[
            { value: "any", label: "Any tool" },
            { value: "only", label: "Only these tools" },
          ]}
        />
      </div>
      {limited ? <ToolsPick form={form} path="tool.only" label="Only these" placeholder="None: no tool may be used" help={STAR} /> : null}
      <ToolsPick form={form} path="tool.never" label="Never these" placeholder="None" help={limited ? "Even where the list above names them." : STAR} />
      <NumberInput
        label="Calls of each in one turn, at most"
        description="Empty: as many as the agent's own limits allow."
        inputWrapperOrder={ORDER}
        min={0}
        allowDecimal={false}
        maw={320}
        {...form.getInputProps("tool.calls")}
      />
      <details className={classes.more} open={actions === "only" || form.values.tool.denied.length > 0}>
        <summary>Some actions of a tool only</summary>
        <p className={classes.help}>For tools with a parameter named action, such as read or delete.</p>
        <div className={classes.inner}>
          <SegmentedControl
            aria-label="Which actions may be used"
            value={actions}
            onChange={(value) => form.setFieldValue("tool.actions", value)}
            data={[
              { value: "any", label: "Any action" },
              { value: "only", label: "Only these actions" },
            ]}
          />
          {actions === "only" ? <TagsInput label="Only these actions" acceptValueOnBlur {...form.getInputProps("tool.allowed")} /> : null}
          <TagsInput label="Never these actions" acceptValueOnBlur {...form.getInputProps("tool.denied")} />
        </div>
      </details>
    </>
  );
}

const STAR = "A name with * stands for several: send_* is every tool that sends.";

function ContentFields({ form }: Props) {
  const { then, topics, detect } = form.values.content;
  return (
    <>
      <Checkbox.Group label="Personal data" {...form.getInputProps("content.detect")}>
        <div className={classes.checks}>
          {Object.entries(DETECT).map(([value, words]) => (
            <Checkbox key={value} value={value} label={words} />
          ))}
        </div>
      </Checkbox.Group>
      {detect.includes("phone") ? (
        <TextInput
          label="Country of phone numbers"
          description="Two letters, such as GB: finds numbers without their prefix, too."
          inputWrapperOrder={ORDER}
          maxLength={2}
          maw={320}
          {...form.getInputProps("content.region")}
        />
      ) : null}
      {topics.map((_, at) => (
        <fieldset key={at} className={classes.group}>
          <legend className={classes.legend}>Topic</legend>
          <TextInput label="Name" {...form.getInputProps(`content.topics.${at}.name`)} />
          <TagsInput
            label="Words that tell of it"
            description="Found as whole words, whatever their case."
            inputWrapperOrder={ORDER}
            acceptValueOnBlur
            {...form.getInputProps(`content.topics.${at}.words`)}
          />
          <Button size="compact-sm" variant="subtle" color="gray" onClick={() => form.removeListItem("content.topics", at)}>
            Remove this topic
          </Button>
        </fieldset>
      ))}
      <div>
        <Button size="compact-sm" variant="default" onClick={() => form.insertListItem("content.topics", { name: "", words: [] })}>
          Add a topic
        </Button>
      </div>
      <Textarea
        label="Patterns"
        description="Regular expressions, one on each line, found anywhere whatever the case."
        inputWrapperOrder={ORDER}
        autosize
        minRows={2}
        maxRows={10}
        spellCheck={false}
        className={classes.code}
        {...form.getInputProps("content.patterns")}
      />
      <Select
        label="When something is found"
        data={[
          { value: "block", label: "Refuse it" },
          { value: "redact", label: "Take it out and go on" },
          { value: "ask", label: "Ask a person" },
        ]}
        allowDeselect={false}
        maw={320}
        {...form.getInputProps("content.then")}
      />
      {then === "ask" ? <AskFields form={form} /> : null}
    </>
  );
}

function ModelFields({ form }: Props) {
  const models = useModels().data;
  const data = useMemo(() => {
    const known = models?.providers.filter((one) => one.configured && one.default_model) ?? [];
    return [...new Set(known.flatMap((one) => [one.default_model ?? "", `${(one.default_model ?? "").split("/")[0] ?? ""}/*`]))];
  }, [models]);
  return (
    <TagsInput
      label="Only these models"
      description="* stands for any letters: anthropic/* is every model of Anthropic."
      inputWrapperOrder={ORDER}
      data={data}
      acceptValueOnBlur
      placeholder={form.values.model.models.length === 0 ? "None: no model may be used" : undefined}
      {...form.getInputProps("model.models")}
    />
  );
}

function HostFields({ form }: Props) {
  return (
    <TagsInput
      label="Only these hosts"
      description="example.com, or *.example.com for all below it."
      inputWrapperOrder={ORDER}
      acceptValueOnBlur
      placeholder={form.values.egress.hosts.length === 0 ? "None: calls may go nowhere outside" : undefined}
      {...form.getInputProps("egress.hosts")}
    />
  );
}

function TimeFields({ form }: Props) {
  const { start, end } = form.values.time;
  const over = start > end ? "Past midnight: it belongs to the day it begins on." : start === end ? "The whole day." : undefined;
  const error = form.errors["time.days"];
  return (
    <>
      <fieldset className={classes.plain}>
        <legend className={classes.label}>Days</legend>
        <Chip.Group multiple {...form.getInputProps("time.days")}>
          <Group gap={6}>
            {ALL_DAYS.map((day) => (
              <Chip key={day} value={day} size="sm" radius="md" aria-label={DAYS[day].long}>{DAYS[day].short}</Chip>
            ))}
          </Group>
        </Chip.Group>
        {error ? <p role="alert" className={classes.error}>{error}</p> : null}
      </fieldset>
      <div className={classes.trio}>
        <TextInput type="time" label="From" {...form.getInputProps("time.start")} />
        <TextInput type="time" label="To" description={over} inputWrapperOrder={ORDER} {...form.getInputProps("time.end")} />
        <ZoneField form={form} path="time.time_zone" />
      </div>
    </>
  ); // prettier-ignore
}

function TriggerFields({ form }: Props) {
  return (
    <Select
      label="Agents work"
      description="Being addressed is a mention, a direct message, or a reply in a thread with the agent."
      inputWrapperOrder={ORDER}
      data={[
        { value: "proactive", label: "When they are addressed, or by themselves" },
        { value: "mention", label: "Only when they are addressed" },
        { value: "silent", label: "Only when somebody starts them" },
      ]}
      allowDeselect={false}
      maw={420}
      {...form.getInputProps("trigger.loosest")}
    />
  );
}

function DepthFields({ form }: Props) {
  return (
    <NumberInput
      label="How often work may be passed on, one agent to the next"
      description="0: agents ask no other agent."
      inputWrapperOrder={ORDER}
      min={0}
      max={10}
      allowDecimal={false}
      maw={420}
      {...form.getInputProps("depth.max")}
    />
  );
}

function CostFields({ form }: Props) {
  const whole = form.values.cost.per === "interaction" || form.values.cost.per === "delegation";
  return (
    <>
      <div className={classes.trio}>
        <TextInput label="At most" leftSection="$" inputMode="decimal" autoComplete="off" placeholder="50" {...form.getInputProps("cost.limit")} />
        <Select
          label="For"
          data={[
            { value: "account", label: "the whole account" },
            { value: "team", label: "each team" },
            { value: "user", label: "each person" },
            { value: "agent", label: "each agent" },
            { value: "interaction", label: "each turn" },
            { value: "delegation", label: "each delegated turn" },
          ]}
          allowDeselect={false}
          {...form.getInputProps("cost.per")}
        />
        {whole ? null : (
          <Select
            label="In"
            data={[
              { value: "day", label: "a day" },
              { value: "week", label: "a week" },
              { value: "month", label: "a month" },
              { value: "total", label: "all" },
            ]}
            allowDeselect={false}
            {...form.getInputProps("cost.period")}
          />
        )}
      </div>
      <TagsInput
        label="Warn at, in percent"
        description="Those who can raise the limit are told then."
        inputWrapperOrder={ORDER}
        maxTags={5}
        acceptValueOnBlur
        maw={420}
        {...form.getInputProps("cost.warn_at")}
      />
      {whole || form.values.cost.period === "total" ? null : (
        <div className={classes.half}>
          <ZoneField form={form} path="cost.time_zone" />
        </div>
      )}
    </>
  );
}

function RateFields({ form }: Props) {
  const { of, per, strategy } = form.values.rate;
  return (
    <>
      <div className={classes.pair}>
        <NumberInput label="At most" min={1} allowDecimal={false} thousandSeparator="," {...form.getInputProps("rate.amount")} />
        <SpanField form={form} path="rate" label="In" units={["second", "minute", "hour", "day"]} />
      </div>
      <div className={classes.trio}>
        <Select
          label="Of"
          data={[
            { value: "calls", label: "calls" },
            { value: "tokens", label: "tokens" },
          ]}
          allowDeselect={false}
          {...form.getInputProps("rate.of")}
        />
        {of === "tokens" || per === "tool" ? null : (
          <Select
            label="Calls of"
            data={[
              { value: "tool", label: "tools" },
              { value: "model", label: "models" },
            ]}
            allowDeselect={false}
            {...form.getInputProps("rate.about")}
          />
        )}
        <Select
          label="For"
          data={[
            { value: "account", label: "the whole account" },
            { value: "user", label: "each person" },
            { value: "agent", label: "each agent" },
            ...(of === "tokens" ? [] : [{ value: "tool", label: "each tool" }]),
          ]}
          allowDeselect={false}
          {...form.getInputProps("rate.per")}
        />
      </div>
      <div className={classes.pair}>
        <Select
          label="Counted"
          data={[
            { value: "token_bucket", label: "evenly: some is always coming back" },
            { value: "fixed_window", label: "from one full hour, day or so to the next" },
          ]}
          allowDeselect={false}
          {...form.getInputProps("rate.strategy")}
        />
        {strategy === "token_bucket" ? (
          <NumberInput
            label="At once, at most"
            description="Empty: the same as above."
            inputWrapperOrder={ORDER}
            min={1}
            allowDecimal={false}
            {...form.getInputProps("rate.burst")}
          />
        ) : null}
      </div>
    </>
  );
}
