/** One turn, open to look at: what it was, every step on a time axis, each with what went in and came out. */
import { SegmentedControl } from "@mantine/core";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";

import { useInteraction, useInteractionChildren, type Interaction } from "@/api/interactions";
import { useMessage } from "@/api/messages";
import { shorten } from "@/lib/format";
import { plainWords } from "@/lib/markdown";
import { ErrorState } from "@/ui/ErrorState";
import { ListSkeleton } from "@/ui/ListSkeleton";
import { PageHeader } from "@/ui/PageHeader";
import { Panel } from "@/ui/Panel";
import { useTicking } from "@/ui/useTicking";

import { ConfigDiff } from "./ConfigDiff";
import { InteractionActions } from "./InteractionActions";
import { InteractionFacts } from "./InteractionFacts";
import classes from "./InteractionPage.module.css";
import { StepPanel } from "./StepPanel";
import { stepTitle } from "./steps";
import { StepTable } from "./StepTable";
import { Timeline } from "./Timeline";
import { WaitCard } from "./WaitCard";

const TICK_MS = 250;

export default function InteractionPage() {
  const { interactionId = "" } = useParams({ strict: false });
  const { data, error, isPending, refetch } = useInteraction(interactionId);
  if (!data) {
    return (
      <div className={classes.page}>
        <PageHeader title="Turn" />
        {isPending ? <ListSkeleton rows={8} label="Loading the turn" /> : <ErrorState error={error} retry={() => void refetch()} what="this turn" />}
      </div>
    );
  }
  return <Loaded key={data.id} interaction={data} error={error} onRetry={() => void refetch()} />;
}

interface LoadedProps {
  interaction: Interaction;
  /** Why the last look at it failed: what is shown may be old. */
  error: Error | null;
  onRetry: () => void;
}

function Loaded({ interaction, error, onRetry }: LoadedProps) {
  const { step: wanted } = useSearch({ strict: false });
  const navigate = useNavigate();
  const steps = interaction.steps ?? [];
  const step = steps.find((one) => one.seq === Number(wanted));
  const select = (seq: number | null): void =>
    void navigate({
      to: "/activity/$interactionId",
      params: { interactionId: interaction.id },
      search: seq === null || seq === step?.seq ? {} : { step: seq },
      replace: true,
    });
  return (
    <div className={classes.whole}>
      <div className={classes.page}>
        <PageHeader title={`${interaction.agent_name ?? "Agent"}’s turn`} note={<Question interaction={interaction} />}>
          <InteractionActions interaction={interaction} />
        </PageHeader>
        <div className={classes.scroller}>
          {error ? <ErrorState inline error={error} retry={onRetry} what="what is new" /> : null}
          <InteractionFacts interaction={interaction} />
          <Waits interaction={interaction} />
          <Steps interaction={interaction} selected={step?.seq ?? null} onSelect={select} />
          <ConfigDiff interaction={interaction} />
        </div>
      </div>
      {step ? (
        <Panel title={stepTitle(step)} onClose={() => select(null)}>
          <StepPanel key={step.seq} interaction={interaction} step={step} onSelect={select} />
        </Panel>
      ) : null}
    </div>
  );
}

/** What was asked, in its first words. */
function Question({ interaction: { channel_id, message_id } }: { interaction: Interaction }) {
  return channel_id && message_id ? <Words channelId={channel_id} messageId={message_id} /> : null;
}

function Words({ channelId, messageId }: { channelId: string; messageId: string }) {
  const { data } = useMessage(channelId, messageId);
  return data ? shorten(plainWords(data.content), 160) : null;
}

function Waits({ interaction }: { interaction: Interaction }) {
  const open = (interaction.waits ?? []).filter((wait) => wait.state === "open");
  if (open.length === 0) return null;
  return (
    <section className={classes.section} aria-label="Waits for an answer">
      {open.map((wait) => (
        <WaitCard key={wait.id} wait={wait} />
      ))}
    </section>
  );
}

interface StepsProps {
  interaction: Interaction;
  selected: number | null;
  onSelect: (seq: number) => void;
}

function Steps({ interaction, selected, onSelect }: StepsProps) {
  const [view, setView] = useState("timeline");
  const live = interaction.ended_at === null;
  const now = useTicking(live, TICK_MS);
  const children = useInteractionChildren(interaction).data ?? [];
  return (
    <section className={classes.section} aria-labelledby="steps">
      <div className={classes.head}>
        <h2 id="steps">Steps</h2>
        <SegmentedControl
          size="xs"
          value={view}
          onChange={setView}
          aria-label="Show steps as"
          data={[{ value: "timeline", label: "Timeline" }, { value: "table", label: "Table" }]}
        />
      </div>
      {view === "table" ? (
        <StepTable interaction={interaction} now={now} selected={selected} onSelect={onSelect} />
      ) : (
        <Timeline interaction={interaction} nested={children} now={now} selected={selected} onSelect={onSelect} />
      )}
    </section>
  );
}
