/** One step, open: how it went, what went in and came out, and the exact prompt on demand. */
import { UnstyledButton } from "@mantine/core";
import { useMemo, useState, type ReactNode } from "react";

import { useStep, type Interaction, type Step, type StepDetail } from "@/api/interactions";
import { plural } from "@/lib/format";
import { reasonOf, whyStepFailed } from "@/lib/reasons";
import { ofStep } from "@/lib/states";
import { exact } from "@/lib/time";
import { CostCell } from "@/ui/CostCell";
import { Duration } from "@/ui/Duration";
import { ErrorState } from "@/ui/ErrorState";
import { Fact } from "@/ui/Fact";
import { JsonView } from "@/ui/JsonView";
import { ExplainLink } from "@/ui/ExplainLink";
import { StateDot } from "@/ui/StateDot";
import { Judged, WhyButton } from "@/ui/Why";

import { Prompt } from "./Prompt";
import classes from "./StepPanel.module.css";
import { effectOf, stepAbout, stepTitle } from "./steps";
import { WaitCard } from "./WaitCard";

interface Props {
  interaction: Interaction;
  step: Step;
  onSelect: (seq: number) => void;
}

export function StepPanel({ interaction, step, onSelect }: Props) {
  const why = whyStepFailed(step);
  const waits = (interaction.waits ?? []).filter((wait) => wait.step_seq === step.seq);
  return (
    <div className={classes.panel}>
      <Facts step={step} />
      {why ? <p className={classes.why}>{why}</p> : null}
      {waits.map((wait) => (
        <WaitCard key={wait.id} wait={wait} bare />
      ))}
      <Why interaction={interaction} step={step} />
      {step.kind === "act" ? <Call interaction={interaction} step={step} /> : <Said interaction={interaction} step={step} onSelect={onSelect} />}
      {step.kind === "think" ? <Prompt interactionId={interaction.id} seq={step.seq} /> : null}
      <details className={classes.stored}>
        <summary>As it is stored</summary>
        <JsonView value={step} label="Step" />
      </details>
    </div>
  );
}

function Facts({ step }: { step: Step }) {
  const effect = effectOf(step);
  return (
    <dl className={classes.facts}>
      <Fact name="State"><StateDot {...ofStep(step)} /></Fact>
      {step.started_at ? <Fact name="Began">{exact(step.started_at)}</Fact> : null}
      {step.started_at ? <Fact name={step.ended_at ? "Took" : "For"}><Duration start={step.started_at} end={step.ended_at} /></Fact> : null}
      {step.kind === "think" ? (
        <>
          <Fact name="Tokens">{step.input_tokens.toLocaleString()} read, {step.output_tokens.toLocaleString()} written</Fact>
          <Fact name="Cost"><CostCell cost={step.cost} /></Fact>
        </>
      ) : null}
      {effect ? <Fact name="Effect">{effect}</Fact> : null}
      {step.attempt > 1 ? <Fact name="Try">{step.attempt}</Fact> : null}
    </dl>
  ); // prettier-ignore
}

/** What the rules said about it, in place. */
function Why({ interaction, step }: { interaction: Interaction; step: Step }) {
  const [open, setOpen] = useState(false);
  if (!step.policy) return null;
  return (
    <WhyButton open={open} onToggle={() => setOpen(!open)}>
      <Judged policy={step.policy}>
        <ExplainLink turn={interaction} step={step} />
      </Judged>
    </WhyButton>
  );
}

/** A tool call: its arguments and its result, as the journal has them. */
function Call({ interaction, step }: { interaction: Interaction; step: Step }) {
  const detail = useStep(interaction.id, step);
  const given = detail.data?.input_resolved;
  const came = detail.data?.output_resolved;
  const argumentsOf = given?.arguments ?? field(step.input, "arguments");
  const malformed = given?.malformed ?? field(step.input, "malformed");
  const result = came ? came.result : step.output === null ? undefined : (field(step.output, "content") ?? step.output);
  return (
    <>
      {detail.isError ? <ErrorState inline error={detail.error} retry={() => void detail.refetch()} what="all of this step" /> : null}
      {given?.tool_description ? <p className={classes.none}>{given.tool_description}</p> : null}
      <Part title={malformed ? "Arguments, as the model wrote them" : "Arguments"}>
        {isEmpty(argumentsOf) && !malformed ? <p className={classes.none}>None</p> : <Value value={malformed ?? argumentsOf} label="Arguments" />}
      </Part>
      {result === undefined ? null : (
        <Part title="Result">
          <Value value={result} label="Result" />
        </Part>
      )}
    </>
  );
}

/** What the model said, or what was replied, and the tools it asked for. */
function Said({ interaction, step, onSelect }: Props) {
  const detail = useStep(interaction.id, step);
  const calls = (interaction.steps ?? []).filter((one) => one.parent_seq === step.seq);
  const said = useMemo(() => saidIn(step, detail.data?.output_resolved ?? null), [step, detail.data]);
  return (
    <>
      {detail.isError ? <ErrorState inline error={detail.error} retry={() => void detail.refetch()} what="all of this step" /> : null}
      {said.map(({ title, value }) => (
        <Part key={title} title={title}>
          <Value value={value} label={title} />
        </Part>
      ))}
      <Calls calls={calls} onSelect={onSelect} />
    </>
  );
}

/** What there is to read of it, each under its title. */
function saidIn(step: Step, came: StepDetail["output_resolved"]): { title: string; value: unknown }[] {
  const text = came?.text ?? came?.message?.content ?? step.output?.["text"];
  const parts = [
    { title: "Why it ended here", value: came?.reason ? reasonOf(came.reason) : null },
    { title: "What it thought", value: came?.thinking },
    { title: step.kind === "think" ? "What it said" : "Reply", value: text },
    { title: "Object", value: came?.structured ?? step.output?.["structured"] },
  ];
  return parts.filter(({ value }) => value !== null && value !== undefined && value !== "");
}

/** The calls that the model asked for, each of which is a step of its own. */
function Calls({ calls, onSelect }: { calls: readonly Step[]; onSelect: (seq: number) => void }) {
  if (calls.length === 0) return null;
  return (
    <Part title={`Asked for ${plural(calls.length, "tool")}`}>
      <ul className={classes.calls}>
        {calls.map((call) => (
          <li key={call.seq}>
            <UnstyledButton className={classes.call} onClick={() => onSelect(call.seq)}>
              <span>{stepTitle(call)}</span>
              <span className={classes.about}>{stepAbout(call)}</span>
              <StateDot {...ofStep(call)} bare />
            </UnstyledButton>
          </li>
        ))}
      </ul>
    </Part>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={classes.part}>
      <h3>{title}</h3>
      {children}
    </section>
  );
}

/** Words as words, everything else as JSON. */
function Value({ value, label }: { value: unknown; label: string }) {
  if (typeof value === "string") return <p className={classes.text}>{value}</p>;
  return <JsonView value={value} label={label} />;
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && name in value ? (value as Record<string, unknown>)[name] : undefined;
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === "object" && Object.keys(value).length === 0);
}
