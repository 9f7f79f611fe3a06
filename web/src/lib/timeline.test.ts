import { describe, expect, it } from "vitest";

import { layout, mergeSpans, type TimelineStep, type TimelineTurn, type TimelineWait } from "./timeline";

const T0 = Date.parse("2026-01-05T10:00:00Z");
const DAY = 86_400_000;
const iso = (ms: number): string => new Date(T0 + ms).toISOString();

function step(seq: number, from: number | null, to: number | null, more: Partial<TimelineStep> = {}): TimelineStep {
  return {
    seq,
    kind: "think",
    state: to === null ? "running" : "success",
    parent_seq: null,
    attempt: 1,
    started_at: from === null ? null : iso(from),
    ended_at: to === null ? null : iso(to),
    ...more,
  };
}

function turn(steps: TimelineStep[], more: Partial<TimelineTurn> = {}): TimelineTurn {
  const last = Math.max(0, ...steps.map((one) => (one.ended_at ? Date.parse(one.ended_at) - T0 : 0)));
  return {
    id: "int_1", state: "succeeded", created_at: iso(0), started_at: iso(0), ended_at: iso(last), steps, waits: [], ...more,
  }; // prettier-ignore
}

function wait(seq: number, from: number, to: number | null): TimelineWait {
  return {
    state: to === null ? "open" : "resolved",
    step_seq: seq,
    created_at: iso(from),
    resolved_at: to === null ? null : iso(to),
  };
}

describe("rows", () => {
  it("nest the calls under the model call that asked for them", () => {
    const act = { kind: "act", parent_seq: 1 };
    const steps = [step(1, 0, 100), step(3, 100, 300, act), step(2, 100, 200, act), step(4, 300, 400)];
    const rows = layout(turn(steps), T0 + 1000).rows;
    expect(rows.map((row) => [row.seq, row.depth])).toEqual([[null, 0], [1, 1], [2, 2], [3, 2], [4, 1]]);
  });

  it("put a delegated turn under the call that started it", () => {
    const child = turn([step(1, 120, 180)], { id: "int_2", created_at: iso(110), started_at: iso(115) });
    const steps = [step(1, 0, 100), step(2, 100, 200, { kind: "act", parent_seq: 1 })];
    const rows = layout(turn(steps, { children: [{ under: 2, turn: child }] }), T0 + 1000).rows;
    expect(rows.map((row) => [row.turnId, row.seq, row.depth])).toEqual([
      ["int_1", null, 0], ["int_1", 1, 1], ["int_1", 2, 2], ["int_2", null, 3], ["int_2", 1, 4],
    ]); // prettier-ignore
  });

  it("show a step that waits as run, wait, run", () => {
    const steps = [step(1, 0, 100), step(2, 100, 900, { kind: "act", parent_seq: 1 })];
    const row = layout(turn(steps, { waits: [wait(2, 200, 700)] }), T0 + 1000).rows[2];
    expect(row?.bars.map((bar) => [bar.kind, bar.from - T0, bar.to - T0])).toEqual([
      ["run", 100, 200], ["wait", 200, 700], ["run", 700, 900],
    ]); // prettier-ignore
  });

  it("grow to the present while something runs", () => {
    const running = turn([step(1, 0, null)], { state: "running", ended_at: null });
    const bar = layout(running, T0 + 5000).rows[1]?.bars[0];
    expect(bar).toMatchObject({ kind: "run", to: T0 + 5000, open: true });
  });

  it("end a step that a crash left running where its turn ended", () => {
    const bar = layout(turn([step(1, 0, null)], { state: "failed", ended_at: iso(700) }), T0 + DAY).rows[1]?.bars[0];
    expect(bar).toMatchObject({ to: T0 + 700, open: false });
  });

  it("show a turn nobody has taken yet as queued", () => {
    const queued = turn([], { state: "queued", started_at: null, ended_at: null });
    expect(layout(queued, T0 + 400).rows[0]?.bars).toMatchObject([{ kind: "queued", open: true, x: 0, width: 1 }]);
  });

  it("show what was lost before a call that was begun again, and mark the attempt", () => {
    const again = turn([step(1, 4000, 5000, { attempt: 3 })]);
    const timeline = layout(again, T0 + 6000);
    expect(timeline.rows[1]?.bars.map((bar) => bar.kind)).toEqual(["lost", "run"]);
    expect(timeline.marks).toMatchObject([{ attempt: 3, at: T0 + 4000 }]);
  });

  it("mark nothing where a step only went on after a wait", () => {
    const steps = [step(1, 0, 100), step(2, 100, 900, { kind: "act", parent_seq: 1, attempt: 2 })];
    expect(layout(turn(steps, { waits: [wait(2, 200, 700)] }), T0 + 1000).marks).toEqual([]);
  });
});

describe("the axis", () => {
  it("is broken where a wait lasts days, and only there", () => {
    const steps = [step(1, 0, 1000), step(2, 1000, 2 * DAY, { kind: "act", parent_seq: 1 }), step(3, 2 * DAY, 2 * DAY + 2000)];
    const timeline = layout(turn(steps, { waits: [wait(2, 1100, 2 * DAY - 100)] }), T0 + 3 * DAY);
    expect(timeline.breaks).toMatchObject([{ from: T0 + 1100, to: T0 + 2 * DAY - 100 }]);
    expect(timeline.breaks[0]?.width).toBeLessThan(0.2);
    expect(timeline.rows[1]?.bars[0]?.width).toBeGreaterThan(0.2);
  });

  it("is whole for a turn without long waits", () => {
    expect(layout(turn([step(1, 0, 100), step(2, 3000, 3100)]), T0 + 1e6).breaks).toEqual([]);
  });

  it("has a few round ticks", () => {
    const ticks = layout(turn([step(1, 0, 3700)]), T0 + 1e6).ticks;
    expect(ticks.map((tick) => tick.offset)).toEqual([0, 1000, 2000, 3000]);
  });
});

describe("whatever the rows hold", () => {
  // a small generator of its own: the same seed, the same turns
  function random(seed: number): () => number {
    let state = seed;
    return () => ((state = (state * 1_103_515_245 + 12_345) % 2_147_483_648), state / 2_147_483_648);
  }

  function anyTurn(next: () => number, depth = 0): TimelineTurn {
    const pick = <T,>(values: readonly T[]): T => values[Math.floor(next() * values.length)] as T;
    const at = (): number => Math.floor(next() * pick([1, 1000, 60_000, 10 * DAY]));
    const steps = Array.from({ length: Math.floor(next() * 8) }, (_, index) => {
      const from = at();
      const ended = next() < 0.7 ? from + at() - (next() < 0.1 ? 5000 : 0) : null;
      const parent_seq = next() < 0.5 ? Math.floor(next() * 9) : null;
      const kind = pick(["think", "act", "respond", "triage"]);
      const state = pick(["created", "running", "waiting", "unknown", "success", "failed"]);
      return step(index + 1, next() < 0.9 ? from : null, ended, { parent_seq, kind, state, attempt: Math.ceil(next() * 3) });
    });
    const waits = Array.from({ length: Math.floor(next() * 3) }, () => {
      const from = at();
      return wait(Math.floor(next() * 9), from, next() < 0.5 ? from + at() : null);
    });
    const children = depth < 2 && next() < 0.3 ? [{ under: pick([null, 1, 77]), turn: anyTurn(next, depth + 1) }] : [];
    const state = pick(["queued", "running", "waiting", "succeeded", "failed", "cancelled"]);
    const times = { started_at: next() < 0.8 ? iso(at()) : null, ended_at: next() < 0.5 ? iso(at()) : null };
    return { ...turn(steps), id: `int_${depth}_${next()}`, state, ...times, waits, children };
  }

  const SEEDS = Array.from({ length: 400 }, (_, seed) => seed);

  it("bars stay on the axis and in the order of time (400 turns)", () => {
    for (const seed of SEEDS) {
      const next = random(seed + 1);
      const made = anyTurn(next);
      const timeline = layout(made, T0 + Math.floor(next() * 12 * DAY));
      for (const bar of timeline.rows.flatMap((row) => row.bars)) {
        expect(bar.to).toBeGreaterThanOrEqual(bar.from);
        expect(bar.x).toBeGreaterThanOrEqual(0);
        expect(bar.width).toBeGreaterThanOrEqual(0);
        expect(bar.x + bar.width).toBeLessThanOrEqual(1 + 1e-9);
      }
      const ends = timeline.rows.flatMap((row) => row.bars.flatMap((bar) => [[bar.from, bar.x], [bar.to, bar.x + bar.width]]));
      ends.sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0));
      for (let index = 1; index < ends.length; index++) {
        expect((ends[index]?.[1] ?? 0) - (ends[index - 1]?.[1] ?? 0)).toBeGreaterThanOrEqual(-1e-9);
      }
    }
  });

  it("every step has exactly one row, and bars of a row do not overlap (400 turns)", () => {
    for (const seed of SEEDS) {
      const made = anyTurn(random(seed + 1000));
      const timeline = layout(made, T0 + 20 * DAY);
      const own = timeline.rows.filter((row) => row.turnId === made.id && row.seq !== null);
      expect(own.map((row) => row.seq).sort()).toEqual(made.steps.map((one) => one.seq).sort());
      expect(new Set(timeline.rows.map((row) => row.key)).size).toBe(timeline.rows.length);
      for (const row of timeline.rows) {
        row.bars.slice(1).forEach((bar, index) => expect(bar.from).toBeGreaterThanOrEqual(row.bars[index]?.to ?? 0));
      }
    }
  });

  it("spans merge in order", () => {
    const spans = [{ from: 5, to: 9 }, { from: 1, to: 3 }, { from: 2, to: 4 }, { from: 9, to: 10 }];
    expect(mergeSpans(spans)).toEqual([{ from: 1, to: 4 }, { from: 5, to: 10 }]);
  });
});
