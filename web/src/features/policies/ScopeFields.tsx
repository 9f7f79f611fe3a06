/** Where a rule applies; what is left empty does not narrow it. */
import { MultiSelect } from "@mantine/core";

import { useAgents } from "@/api/agents";
import { useChannels } from "@/api/channels";

import { NamesPick, ORDER, Section, ToolsPick } from "./fields";
import { hasTools } from "./form";
import classes from "./PolicyForm.module.css";
import type { Form } from "./useForm";
import { EFFECTS } from "./words";

const OPTIONS = Object.entries(EFFECTS).map(([value, label]) => ({ value, label }));

export function ScopeFields({ form }: { form: Form }) {
  const agents = useAgents().data;
  const channels = useChannels().data;
  const tools = hasTools(form.values.type, form.values.rate.about);
  const { effects } = form.values.scope;
  return (
    <Section title="Where it applies" help="Left empty, it applies everywhere.">
      <div className={classes.pair}>
        <NamesPick form={form} path="scope.agents" label="Agents" placeholder="Every agent" data={agents} gone="an agent that is gone" />
        <NamesPick form={form} path="scope.channels" label="Channels" placeholder="Every channel" data={channels} gone="a channel you are not in" />
        {tools ? <ToolsPick form={form} path="scope.tools" label="Tools" /> : null}
        {tools ? (
          <MultiSelect
            label="What the tool does"
            inputWrapperOrder={ORDER}
            data={OPTIONS}
            hidePickedOptions
            placeholder={effects.length === 0 ? "Anything" : undefined}
            {...form.getInputProps("scope.effects")}
          />
        ) : null}
      </div>
    </Section>
  );
}
