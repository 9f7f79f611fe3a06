/** Which tools the agent may use: what each does to the world, and which trust it takes. */
import { Select, Switch, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { memo, useState } from "react";

import type { ToolChoice } from "@/api/agents";
import type { Schemas } from "@/api/client";
import type { Tool } from "@/api/tools";
import { plural } from "@/lib/format";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorState } from "@/ui/ErrorState";
import { ListSkeleton } from "@/ui/ListSkeleton";

import classes from "./AgentForm.module.css";
import { Section } from "./Section";
import { findTools, listed, withTool } from "./toolChoices";
import { EFFECTS, TRUST, trusts } from "./words";

type Trust = Schemas["TrustLevel"];

interface Props {
  tools: { data: Tool[] | undefined; isError: boolean; error: unknown; refetch: () => unknown };
  chosen: readonly ToolChoice[];
  /** What it had before: switching off one of these keeps how it was set up. */
  before: readonly ToolChoice[];
  trust: Trust;
  error?: string;
  onChoose: (tools: ToolChoice[]) => void;
  onTrust: (trust: Trust) => void;
}

const ORDER: ("label" | "input" | "description" | "error")[] = ["label", "input", "description", "error"];

export const ToolsSection = memo(function ToolsSection(props: Props) {
  const { tools, chosen, before, trust, error, onChoose, onTrust } = props;
  const [query, setQuery] = useState("");
  const all = tools.data ? listed(tools.data, chosen) : [];
  const shown = findTools(all, query);
  const on = chosen.filter((choice) => choice.enabled).length;
  return (
    <Section title="Tools" help="What it can do besides talking. Every call passes the gate and stands in the record.">
      <Select
        label="Trust"
        description={TRUST[trust].help}
        inputWrapperOrder={ORDER}
        data={Object.entries(TRUST).map(([value, { label }]) => ({ value, label }))}
        allowDeselect={false}
        value={trust}
        onChange={(value) => value && onTrust(value as Trust)}
        maw={240}
      />
      <div className={classes.toolsBar}>
        <TextInput
          type="search"
          aria-label="Search tools"
          placeholder="Search tools"
          leftSection={<IconSearch size={16} stroke={1.5} />}
          value={query}
          onChange={(event) => setQuery(event.currentTarget.value)}
        />
        <span className={classes.dim}>{on === 0 ? "None switched on" : `${plural(on, "tool")} switched on`}</span>
      </div>
      {error && (
        <div role="alert" style={{ color: "var(--rt-red)" }}>
          {error}
        </div>
      )}
      {tools.isError && !tools.data ? (
        <ErrorState inline error={tools.error} what="the tools" retry={() => void tools.refetch()} />
      ) : !tools.data ? (
        <ListSkeleton rows={4} height={64} label="Loading tools" />
      ) : shown.length === 0 ? (
        <EmptyState title={query ? `No tool matches “${query.trim()}”.` : "It works with words alone until a tool is registered."} />
      ) : (
        <ul className={classes.tools}>
          {shown.map((tool) => (
            <ToolRow
              key={tool.slug}
              tool={tool}
              choice={chosen.find((choice) => choice.tool === tool.slug)}
              trust={trust}
              onSwitch={(enabled) => onChoose(withTool(chosen, tool.slug, enabled, before))}
            />
          ))}
        </ul>
      )}
    </Section>
  );
});

interface RowProps {
  tool: ReturnType<typeof listed>[number];
  choice: ToolChoice | undefined;
  trust: Trust;
  onSwitch: (enabled: boolean) => void;
}

function ToolRow({ tool, choice, trust, onSwitch }: RowProps) {
  const { known } = tool;
  const enabled = choice?.enabled ?? (choice ? true : false);
  return (
    <li className={classes.tool}>
      <Switch
        aria-label={`Use ${tool.name}`}
        mt={2}
        checked={enabled}
        onChange={(event) => onSwitch(event.currentTarget.checked)}
      />
      <div className={classes.toolText}>
        <div className={classes.toolName}>{tool.name}</div>
        <div className={classes.dim}>{known?.description ?? "This tool is not registered here. Calls of it are refused."}</div>
        {known && (
          <div className={classes.toolFacts}>
            <span title={EFFECTS[known.effect].help}>{EFFECTS[known.effect].label}</span>
            <span>{TRUST[known.trust].label} trust</span>
            {known.requires_approval && <span>Asks a person first</span>}
            {!known.enabled && <span className={classes.warn}>Switched off for everyone</span>}
            {enabled && !trusts(trust, known.trust) && (
              <span className={classes.warn}>Refused: it takes {TRUST[known.trust].label.toLowerCase()} trust</span>
            )}
          </div>
        )}
      </div>
    </li>
  );
}
