/** A turn as bars on one time axis. Each step is a button in a list, so that it reads and works without seeing the bars. */
import { Tooltip, UnstyledButton, VisuallyHidden } from "@mantine/core";
import { IconArrowForward, IconBulb, IconFilter, IconMessage, IconTool } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useMemo, useRef, type CSSProperties, type KeyboardEvent } from "react";

import type { Interaction, Step } from "@/api/interactions";
import { ofStep } from "@/lib/states";
import { clockExact, duration, exact } from "@/lib/time";
import { layout, type Bar, type Row, type Timeline as Picture } from "@/lib/timeline";
import { target } from "@/ui/table/useRowKeys";

import { stepAbout, stepTitle, stepUse, stepWords, toTimeline } from "./steps";
import classes from "./Timeline.module.css";

interface Props {
  interaction: Interaction;
  /** Turns this one has started by delegation. */
  nested: readonly Interaction[];
  now: number;
  selected: number | null;
  onSelect: (seq: number) => void;
}

const ICONS = { triage: IconFilter, think: IconBulb, act: IconTool, respond: IconMessage };

export function Timeline({ interaction, nested, now, selected, onSelect }: Props) {
  const picture = useMemo(() => layout(toTimeline(interaction, nested), now), [interaction, nested, now]);
  const list = useRef<HTMLOListElement>(null);
  const turns = new Map([interaction, ...nested].map((turn) => [turn.id, turn]));
  const whole = picture.rows[0];
  const first = picture.rows[1]?.seq ?? null;

  function onKeyDown(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const buttons = [...(list.current?.querySelectorAll<HTMLElement>("button, a") ?? [])];
    const at = buttons.findIndex((button) => button === document.activeElement);
    const to = target(event.key, at, buttons.length, 10);
    if (to === null || at < 0) return;
    event.preventDefault();
    buttons[to]?.focus();
  }

  return (
    <div className={classes.frame}>
    <div className={classes.timeline}>
      <Axis picture={picture} />
      <div className={classes.rows}>
        <Lines picture={picture} />
        {whole ? (
          <div className={classes.row} data-whole aria-hidden>
            <span className={classes.label}>
              <span className={classes.title}>Whole turn</span>
            </span>
            <Track row={whole} tone="whole" />
          </div>
        ) : null}
        <ol ref={list} className={classes.list} aria-label="Steps of this turn" onKeyDown={onKeyDown}>
          {picture.rows.slice(1).map((row) => {
            const turn = turns.get(row.turnId);
            if (!turn) return null;
            if (turn.id !== interaction.id) return <li key={row.key}><NestedRow row={row} turn={turn} /></li>; // prettier-ignore
            const step = turn.steps?.find((one) => one.seq === row.seq);
            if (!step) return null;
            const on = step.seq === selected;
            const focusable = selected === null ? step.seq === first : on;
            return (
              <li key={row.key}>
                <StepRow row={row} step={step} now={now} selected={on} focusable={focusable} onSelect={onSelect} />
              </li>
            );
          })}
        </ol>
      </div>
    </div>
    </div>
  );
}

interface StepRowProps {
  row: Row;
  step: Step;
  now: number;
  selected: boolean;
  focusable: boolean;
  onSelect: (seq: number) => void;
}

function StepRow({ row, step, now, selected, focusable, onSelect }: StepRowProps) {
  const Icon = ICONS[step.kind];
  const about = stepAbout(step);
  const state = ofStep(step);
  return (
    <Tooltip label={<Hint step={step} bars={row.bars} />} position="top-start" openDelay={250} multiline>
      <UnstyledButton
        className={classes.row}
        data-selected={selected || undefined}
        data-seq={step.seq}
        aria-pressed={selected}
        tabIndex={focusable ? 0 : -1}
        onClick={() => onSelect(step.seq)}
      >
        <VisuallyHidden>{stepWords(step, now)}</VisuallyHidden>
        <span className={classes.label} style={{ "--depth": row.depth - 1 } as CSSProperties} aria-hidden>
          <Icon size={16} stroke={1.5} className={classes.icon} aria-hidden />
          <span className={classes.title}>{stepTitle(step)}</span>
          {about ? <span className={classes.about}>{about}</span> : null}
        </span>
        <Track
          row={row}
          tone={state.meaning === "attention" ? "failed" : step.kind}
          note={step.state === "failed" || step.state === "created" ? state.label : undefined}
        />
      </UnstyledButton>
    </Tooltip>
  );
}

/** A row of a delegated turn: it leads to that turn. */
function NestedRow({ row, turn }: { row: Row; turn: Interaction }) {
  const step = turn.steps?.find((one) => one.seq === row.seq);
  const Icon = step ? ICONS[step.kind] : IconArrowForward;
  const title = step ? stepTitle(step) : `${turn.agent_name ?? "Another agent"}’s turn`;
  return (
    <Link
      to="/activity/$interactionId"
      params={{ interactionId: turn.id }}
      search={step ? { step: step.seq } : {}}
      className={classes.row}
      tabIndex={-1}
    >
      <span className={classes.label} style={{ "--depth": row.depth - 1 } as CSSProperties}>
        <Icon size={16} stroke={1.5} className={classes.icon} aria-hidden />
        <span className={classes.title}>{title}</span>
        {step ? <span className={classes.about}>{stepAbout(step)}</span> : null}
      </span>
      <Track row={row} tone={step?.kind ?? "whole"} />
    </Link>
  );
}

function Track({ row, tone, note }: { row: Row; tone: string; note?: string }) {
  return (
    <>
      <span className={classes.track} aria-hidden>
        {row.bars.map((bar) => (
          <BarView key={`${bar.kind}${bar.from}`} bar={bar} tone={tone} />
        ))}
      </span>
      <span className={classes.took} aria-hidden>
        {note ? <span className={classes.note}>{note}</span> : null}
        {tookOf(row.bars)}
      </span>
    </>
  );
}

/** "1.2 s"; where somebody was asked that is what took long: "waited 2 d 3 h". */
function tookOf(bars: readonly Bar[]): string {
  const length = (kind: Bar["kind"]): number =>
    bars.filter((bar) => bar.kind === kind).reduce((sum, bar) => sum + bar.to - bar.from, 0);
  const waiting = bars.at(-1)?.kind === "wait" && bars.at(-1)?.open;
  const waited = length("wait");
  if (waited > 0) return `${waiting ? "waiting" : "waited"} ${duration(waited)}`;
  return bars.some((bar) => bar.kind === "run") ? duration(length("run")) : "";
}

function BarView({ bar, tone }: { bar: Bar; tone: string }) {
  return (
    <span
      className={classes.bar}
      data-kind={bar.kind}
      data-tone={tone}
      data-open={bar.open || undefined}
      style={{ left: `${bar.x * 100}%`, width: `${bar.width * 100}%` }}
    />
  );
}

/** What hover and focus show: when exactly, how long, what it used. */
function Hint({ step, bars }: { step: Step; bars: readonly Bar[] }) {
  const use = stepUse(step);
  const waited = bars.filter((bar) => bar.kind === "wait");
  const lost = bars.find((bar) => bar.kind === "lost");
  const own = bars.filter((bar) => bar.kind !== "lost");
  const from = own[0]?.from;
  const last = own.at(-1);
  return (
    <span className={classes.hint}>
      {from === undefined || !last ? "Not begun" : `${clockExact(from)} to ${last.open ? "now" : clockExact(last.to)}`}
      {waited.map((bar) => (
        <span key={bar.from}>
          Waited {duration(bar.to - bar.from)}: {exact(bar.from)} to {bar.open ? "now" : exact(bar.to)}
        </span>
      ))}
      {lost ? <span>Earlier tries: {duration(lost.to - lost.from)}</span> : null}
      {use ? <span>{use}</span> : null}
    </span>
  );
}

// ── the axis ────────────────────────────────────────────────────────────────────────────────────────────────────

function Axis({ picture }: { picture: Picture }) {
  return (
    <div className={classes.axis} aria-hidden>
      <span className={classes.track}>
        {picture.ticks.map((tick) => (
          <span key={tick.at} className={classes.tick} style={{ left: `${tick.x * 100}%` }} title={exact(tick.at)}>
            {tick.offset === 0 ? "0" : duration(tick.offset)}
          </span>
        ))}
        {picture.breaks.map((gap) => (
          <span
            key={gap.from}
            className={classes.gap}
            style={{ left: `${gap.x * 100}%`, width: `${gap.width * 100}%` }}
            title={`Nothing ran from ${exact(gap.from)} to ${exact(gap.to)}`}
          >
            {duration(gap.to - gap.from)}
          </span>
        ))}
        {picture.marks.map((mark) => (
          <span key={mark.at} className={classes.mark} style={{ left: `${mark.x * 100}%` }} title={`Try ${mark.attempt} began at ${exact(mark.at)}`}>
            try {mark.attempt}
          </span>
        ))}
      </span>
    </div>
  );
}

function Lines({ picture }: { picture: Picture }) {
  return (
    <div className={classes.lines} aria-hidden>
      <span className={classes.track}>
        {picture.ticks.map((tick) => (
          <span key={tick.at} className={classes.line} style={{ left: `${tick.x * 100}%` }} />
        ))}
        {picture.breaks.map((gap) => (
          <span key={gap.from} className={classes.fold} style={{ left: `${gap.x * 100}%`, width: `${gap.width * 100}%` }} />
        ))}
        {picture.marks.map((mark) => (
          <span key={mark.at} className={classes.line} data-mark style={{ left: `${mark.x * 100}%` }} />
        ))}
      </span>
    </div>
  );
}
