/**
 * Where the bars of a turn's timeline go: rows, places on one time axis, breaks in it, ticks and marks.
 *
 * Pure. Times are milliseconds since the epoch, places are fractions of the axis from 0 to 1. Long stretches in which
 * nothing runs (somebody is asked, and answers two days later) are broken: they take a fixed small part of the axis, so
 * that what did run stays visible.
 */

export interface TimelineStep {
  seq: number;
  kind: string;
  state: string;
  parent_seq: number | null;
  attempt: number;
  started_at: string | null;
  ended_at: string | null;
}

export interface TimelineWait {
  state: string;
  step_seq: number | null;
  created_at: string;
  resolved_at: string | null;
}

export interface TimelineTurn {
  id: string;
  state: string;
  created_at: string;
  started_at: string | null;
  ended_at: string | null;
  steps: readonly TimelineStep[];
  waits: readonly TimelineWait[];
  /** Turns that a step of this one started (delegation), nested under that step. */
  children?: readonly { under: number | null; turn: TimelineTurn }[];
}

/** `lost`: attempts that came to nothing (a process died, a model refused for the moment) before this one. */
export type BarKind = "queued" | "run" | "wait" | "lost";

export interface Span {
  from: number;
  to: number;
}

export interface Bar extends Span {
  kind: BarKind;
  x: number;
  width: number;
  /** Still going on: it grows. */
  open: boolean;
}

export interface Row {
  key: string;
  turnId: string;
  /** Null for the row of a turn as a whole. */
  seq: number | null;
  depth: number;
  bars: Bar[];
}

export interface Break extends Span {
  x: number;
  width: number;
}

export interface Mark {
  at: number;
  x: number;
  attempt: number;
  turnId: string;
}

export interface Tick {
  at: number;
  x: number;
  /** Milliseconds since the start. */
  offset: number;
}

export interface Timeline extends Span {
  rows: Row[];
  breaks: Break[];
  ticks: Tick[];
  marks: Mark[];
}

type PlainBar = Omit<Bar, "x" | "width">;
type PlainRow = Omit<Row, "bars"> & { bars: PlainBar[] };

const LONG_GAP_MS = 10_000;
/** A gap is broken when it is this many times as long as everything that ran. */
const LONG_GAP_RATIO = 3;
const BREAK_WIDTH = 0.12;
const ALL_BREAKS_WIDTH = 0.42;
const NO_LENGTH_MS = 1;
const ENDED = new Set(["succeeded", "failed", "cancelled"]);

/** The whole picture of a turn as it is at `now`. */
export function layout(turn: TimelineTurn, now: number): Timeline {
  const plain = turnRows(turn, now, 0);
  const from = time(turn.created_at) ?? now;
  const to = Math.max(from + NO_LENGTH_MS, ...plain.flatMap((row) => row.bars.map((bar) => bar.to)));
  const scale = makeScale({ from, to }, busy(plain));
  const rows = plain.map((row) => ({ ...row, bars: row.bars.map((bar) => ({ ...bar, ...place(scale, bar) })) }));
  const marks = turnMarks(turn).map((mark) => ({ ...mark, x: position(scale, mark.at) }));
  return { from, to, rows, breaks: breaksOf(scale), ticks: ticksOf(scale), marks };
}

// ── rows ────────────────────────────────────────────────────────────────────────────────────────────────────────

function turnRows(turn: TimelineTurn, now: number, depth: number): PlainRow[] {
  const steps = [...turn.steps].sort((a, b) => a.seq - b.seq);
  const known = new Set(steps.map((step) => step.seq));
  const rows: PlainRow[] = [{ key: turn.id, turnId: turn.id, seq: null, depth, bars: wholeBars(turn, now) }];
  const add = (step: TimelineStep, at: number): void => {
    rows.push({
      key: `${turn.id}:${step.seq}`,
      turnId: turn.id,
      seq: step.seq,
      depth: at,
      bars: stepBars(turn, step, steps, now),
    });
    for (const child of turn.children ?? []) {
      if (child.under === step.seq) rows.push(...turnRows(child.turn, now, at + 1));
    }
    for (const inner of steps) if (inner.parent_seq === step.seq && inner.seq > step.seq) add(inner, at + 1);
  };
  for (const step of steps) {
    const parent = step.parent_seq;
    if (parent === null || parent >= step.seq || !known.has(parent)) add(step, depth + 1);
  }
  for (const child of turn.children ?? []) {
    if (child.under === null || !known.has(child.under)) rows.push(...turnRows(child.turn, now, depth + 1));
  }
  return rows;
}

function wholeBars(turn: TimelineTurn, now: number): PlainBar[] {
  const created = time(turn.created_at) ?? now;
  const ended = time(turn.ended_at);
  const started = time(turn.started_at) ?? ended ?? Math.max(now, created);
  const end = Math.max(ended ?? now, started, created);
  const bars: PlainBar[] = [];
  if (started > created) {
    bars.push({ kind: "queued", from: created, to: started, open: turn.started_at === null && ended === null });
  }
  if (turn.started_at === null) return bars;
  const waits = mergeSpans(turn.waits.map((wait) => waitSpan(turn, wait, now)));
  const open = ended === null;
  return [...bars, ...cutOut({ from: started, to: end }, waits, open, turn.state === "waiting")];
}

function stepBars(turn: TimelineTurn, step: TimelineStep, steps: TimelineStep[], now: number): PlainBar[] {
  const started = time(step.started_at);
  if (started === null) return [];
  const ended = time(step.ended_at) ?? (ENDED.has(turn.state) ? time(turn.ended_at) : null);
  const open = ended === null;
  const end = Math.max(ended ?? now, started);
  const waits = mergeSpans(
    turn.waits.filter((wait) => wait.step_seq === step.seq).map((wait) => waitSpan(turn, wait, now)),
  );
  const lost = lostBefore(turn, step, steps, started);
  const idle = step.state === "waiting" || step.state === "unknown";
  return [...lost, ...cutOut({ from: started, to: end }, waits, open, idle)];
}

/** `whole` in parts that ran and parts that waited. `idle`: what is after the last wait has not gone on yet. */
function cutOut(whole: Span, waits: Span[], open: boolean, idle: boolean): PlainBar[] {
  const bars: PlainBar[] = [];
  let at = whole.from;
  for (const wait of waits) {
    const from = clamp(wait.from, at, whole.to);
    const to = clamp(wait.to, from, whole.to);
    if (from > at) bars.push({ kind: "run", from: at, to: from, open: false });
    if (to > from) bars.push({ kind: "wait", from, to, open: false });
    at = to;
  }
  const rest = at < whole.to || bars.length === 0;
  if (rest) bars.push({ kind: idle && waits.length > 0 ? "wait" : "run", from: at, to: whole.to, open: false });
  const last = bars.at(-1);
  if (last) last.open = open;
  return bars;
}

/** A model call that was begun again keeps only its last beginning: what was before it, up to the step before, is lost. */
function lostBefore(turn: TimelineTurn, step: TimelineStep, steps: TimelineStep[], started: number): PlainBar[] {
  const before = steps.filter((one) => one.seq < step.seq);
  const attempts = before.map((one) => one.attempt);
  if (step.kind !== "think" || step.attempt <= Math.max(1, ...attempts)) return [];
  const ends = before.map((one) => time(one.ended_at) ?? 0);
  const from = Math.max(time(turn.started_at) ?? started, ...ends);
  return from < started ? [{ kind: "lost", from, to: started, open: false }] : [];
}

function waitSpan(turn: TimelineTurn, wait: TimelineWait, now: number): Span {
  const from = time(wait.created_at) ?? now;
  const end = time(wait.resolved_at) ?? (wait.state === "open" ? now : time(turn.ended_at));
  return { from, to: Math.max(from, end ?? from) };
}

/** Where another attempt begins: a retry or a takeover. Going on after a wait is none, the wait shows it. */
function turnMarks(turn: TimelineTurn): Omit<Mark, "x">[] {
  const waited = new Set(turn.waits.map((wait) => wait.step_seq));
  const marks: Omit<Mark, "x">[] = [];
  let attempt = 1;
  for (const step of [...turn.steps].sort((a, b) => a.seq - b.seq)) {
    const at = time(step.started_at);
    if (step.attempt > attempt && at !== null && !waited.has(step.seq) && step.kind !== "respond") {
      marks.push({ at, attempt: step.attempt, turnId: turn.id });
    }
    attempt = Math.max(attempt, step.attempt);
  }
  for (const child of turn.children ?? []) marks.push(...turnMarks(child.turn));
  return marks;
}

// ── the axis ────────────────────────────────────────────────────────────────────────────────────────────────────

interface Piece extends Span {
  x: number;
  width: number;
  broken: boolean;
}

/** Every stretch in which something runs, in order and merged. The turn as a whole does not count, its steps do. */
function busy(rows: readonly PlainRow[]): Span[] {
  const steps = rows.filter((row) => row.seq !== null);
  return mergeSpans(steps.flatMap((row) => row.bars.filter((bar) => bar.kind === "run")));
}

function makeScale(whole: Span, spans: Span[]): Piece[] {
  const gaps = gapsOf(whole, spans);
  const ran = whole.to - whole.from - sum(gaps);
  const long = gaps.filter((gap) => {
    const length = gap.to - gap.from;
    return length > LONG_GAP_MS && length > LONG_GAP_RATIO * ran;
  });
  const each = long.length === 0 ? 0 : Math.min(BREAK_WIDTH, ALL_BREAKS_WIDTH / long.length);
  const kept = whole.to - whole.from - sum(long);
  const pieces: Piece[] = [];
  let at = whole.from;
  let x = 0;
  const add = (to: number, broken: boolean): void => {
    if (to <= at) return;
    const width = broken ? each : ((to - at) / kept) * (1 - each * long.length);
    pieces.push({ from: at, to, x, width, broken });
    at = to;
    x += width;
  };
  for (const gap of long) {
    add(gap.from, false);
    add(gap.to, true);
  }
  add(whole.to, false);
  return kept > 0 ? pieces : pieces.map((piece, index) => ({ ...piece, x: index / pieces.length, width: 1 / pieces.length }));
}

function gapsOf(whole: Span, spans: Span[]): Span[] {
  const gaps: Span[] = [];
  let at = whole.from;
  for (const span of spans) {
    if (span.from > at) gaps.push({ from: at, to: Math.min(span.from, whole.to) });
    at = Math.max(at, span.to);
  }
  if (whole.to > at) gaps.push({ from: at, to: whole.to });
  return gaps;
}

function position(scale: readonly Piece[], at: number): number {
  const piece = scale.find((one) => at <= one.to) ?? scale.at(-1);
  if (!piece) return 0;
  const part = (at - piece.from) / (piece.to - piece.from);
  return clamp(piece.x + clamp(part, 0, 1) * piece.width, 0, 1);
}

function place(scale: readonly Piece[], span: Span): { x: number; width: number } {
  const x = position(scale, span.from);
  return { x, width: Math.max(0, position(scale, span.to) - x) };
}

function breaksOf(scale: readonly Piece[]): Break[] {
  return scale.filter((piece) => piece.broken).map(({ from, to, x, width }) => ({ from, to, x, width }));
}

const NICE = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000,
  600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 43_200_000, 86_400_000]; // prettier-ignore
const CLOSEST = 0.16;

/** Round offsets at least `CLOSEST` apart; on a broken axis only the start: the breaks say how long they are. */
function ticksOf(scale: readonly Piece[]): Tick[] {
  const start = scale[0]?.from ?? 0;
  const tick = (at: number): Tick => ({ at, x: position(scale, at), offset: at - start });
  if (scale.some((piece) => piece.broken)) return [tick(start)];
  const length = (scale.at(-1)?.to ?? 0) - start;
  const every = NICE.find((size) => size >= length * CLOSEST) ?? Math.ceil((length * CLOSEST) / 86_400_000) * 86_400_000;
  const ticks: Tick[] = [];
  for (let at = 0; at <= length * 0.96; at += every) ticks.push(tick(start + at));
  return ticks;
}

// ── spans ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** In order, without overlaps. */
export function mergeSpans(spans: readonly Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last && span.from <= last.to) last.to = Math.max(last.to, span.to);
    else merged.push({ from: span.from, to: span.to });
  }
  return merged;
}

function sum(spans: readonly Span[]): number {
  return spans.reduce((total, span) => total + span.to - span.from, 0);
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

function time(text: string | null): number | null {
  const at = text === null ? NaN : Date.parse(text);
  return Number.isNaN(at) ? null : at;
}
