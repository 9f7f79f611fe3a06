/** What the agent is told and which model answers; what it remembers and how far one turn may go. */
import { Alert, Autocomplete, NumberInput, Select, Switch, Textarea, TextInput } from "@mantine/core";
import { IconInfoCircle } from "@tabler/icons-react";

import type { Schemas } from "@/api/client";
import { count } from "@/lib/format";
import { LinkAnchor } from "@/ui/links";

import classes from "./AgentForm.module.css";
import { modelIds } from "./modelIds";
import { Section } from "./Section";
import type { Form } from "./useAgentForm";
import { TRIGGERS } from "./words";

const BELOW = ["label", "input", "description", "error"] as const;
type Order = ("label" | "input" | "description" | "error")[];
const order: Order = [...BELOW];

export function PromptSection({ form }: { form: Form }) {
  const length = form.values.system_prompt.length;
  return (
    <Section title="Prompt" help="Its instructions: who it is, what it does, what it never does. It reads them at every turn.">
      <Textarea
        className={classes.prompt}
        aria-label="Prompt"
        autosize
        minRows={10}
        maxRows={28}
        description={`${count(length)} characters, about ${count(Math.ceil(length / 4))} tokens with every turn`}
        inputWrapperOrder={order}
        placeholder={"You are …\n\n- Answer briefly.\n- Say when you do not know."}
        {...form.getInputProps("system_prompt")}
      />
    </Section>
  );
}

export function ModelSection({ form, models }: { form: Form; models: Schemas["ModelsView"] | undefined }) {
  const fallback = models?.default_model;
  return (
    <Section title="Model">
      {models?.offline && (
        <Alert color="yellow" icon={<IconInfoCircle size={18} stroke={1.5} />} title="No model is connected">
          The offline model answers for every agent: it uses tools, but it is no language model.{" "}
          <LinkAnchor to="/settings/$section" params={{ section: "models" }} inherit underline="always">
            Connect a model
          </LinkAnchor>
        </Alert>
      )}
      <Autocomplete
        label="Model id"
        description={`Choose one or write any id a connected provider knows. Empty: the account's default${fallback ? `, now ${fallback}` : ""}.`}
        inputWrapperOrder={order}
        placeholder={fallback ?? "provider/model"}
        data={modelIds(models)}
        maxDropdownHeight={280}
        clearable
        comboboxProps={{ shadow: "md" }}
        {...form.getInputProps("model")}
      />
      <Select
        label="Answers"
        description={TRIGGERS[form.values.default_trigger_mode].help}
        inputWrapperOrder={order}
        data={Object.entries(TRIGGERS).map(([value, { label }]) => ({ value, label }))}
        allowDeselect={false}
        {...form.getInputProps("default_trigger_mode")}
      />
    </Section>
  );
}

export function MemorySection({ form }: { form: Form }) {
  return (
    <Section title="Memory" help="What it sees of the conversation at each turn.">
      <NumberInput
        label="Recent messages"
        description="More remembers longer and costs more with every turn."
        inputWrapperOrder={order}
        min={1}
        max={500}
        allowDecimal={false}
        clampBehavior="none"
        maw={240}
        {...form.getInputProps("context.recent_messages")}
      />
      <Switch
        label="Look for older messages that fit"
        description="Searches the whole conversation for the words of the question."
        {...form.getInputProps("context.text_search", { type: "checkbox" })}
      />
    </Section>
  );
}

export function LimitsSection({ form }: { form: Form }) {
  const shared = { inputWrapperOrder: order, allowDecimal: false, allowNegative: false, clampBehavior: "none" as const };
  return (
    <Section title="Limits" help="What one turn may use. An agent that reaches a limit stops and answers with what it has.">
      <div className={classes.pair}>
        <NumberInput
          label="Steps"
          description="How often it may think in one turn. 10 suits most; agents with many tools want 20 to 50."
          {...shared}
          thousandSeparator=","
          {...form.getInputProps("limits.max_steps")}
        />
        <NumberInput
          label="Minutes"
          description="Time it works, not time it waits for people."
          {...shared}
          allowDecimal
          {...form.getInputProps("limits.max_minutes")}
        />
        <TextInput
          label="Cost in dollars"
          description="Empty: no limit. 0.50 is plenty for a chat."
          inputWrapperOrder={order}
          inputMode="decimal"
          leftSection="$"
          placeholder="No limit"
          {...form.getInputProps("limits.max_cost")}
        />
        <NumberInput
          label="Tokens"
          description="Read and written together. Empty: no limit."
          {...shared}
          placeholder="No limit"
          thousandSeparator=","
          {...form.getInputProps("limits.max_tokens")}
        />
        <NumberInput
          label="Calls of one tool"
          description="How often it may call the same tool in one turn."
          {...shared}
          placeholder="No limit"
          {...form.getInputProps("limits.max_calls_per_tool")}
        />
      </div>
    </Section>
  );
}
