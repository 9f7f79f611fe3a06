import { expect, test } from "vitest";

import { EMPTY, reduceAll, type StreamEvent } from "./stream";
import { keyArgument, trailOf, trailOfSteps, type JournalStep } from "./trail";

const TRACES = import.meta.glob<StreamEvent[]>("./traces/*.json", { eager: true, import: "default" });

function step(seq: number, kind: string, more: Partial<JournalStep> = {}): JournalStep {
  return { seq, kind, tool: null, state: "success", input: {}, output: null, error: null, started_at: null, ended_at: null, ...more };
}

test("words come before the calls they led to, and the answer is not part of it", () => {
  const trail = trailOf(reduceAll(EMPTY, TRACES["./traces/tools.json"] ?? []));
  expect(trail.map((stop) => (stop.kind === "words" ? stop.text : stop.calls.map((call) => call.tool)))).toEqual([
    "Let me look.",
    ["current_time", "search_messages", "no_such_tool"],
  ]);
});

test("a stream and a journal tell the same way", () => {
  const told = trailOf({
    passages: [{ step: 1, text: "First." }, { step: 3, text: "Then." }, { step: 5, text: "So." }],
    calls: [call(2, "look"), call(4, "note")],
  });
  const kept = trailOfSteps([
    step(1, "think", { output: { text: "First." } }),
    step(2, "act", { tool: "look", input: { arguments: { a: 1 } }, output: { content: "seen" } }),
    step(3, "think", { output: { text: "Then." } }),
    step(4, "act", { tool: "note", input: { arguments: { a: 1 } }, output: { content: "seen" } }),
    step(5, "think", { output: { text: "So." } }),
    step(6, "respond"),
  ]);
  expect(kept).toEqual(told);

  function call(seq: number, tool: string) {
    return { seq, tool, state: "success", arguments: { a: 1 }, result: "seen", error: null, startedAt: null, endedAt: null };
  }
});

test("a plain reply has no way", () => {
  expect(trailOf(reduceAll(EMPTY, TRACES["./traces/plain.json"] ?? []))).toEqual([]);
  expect(trailOfSteps([step(1, "think", { output: { text: "Hello" } }), step(2, "respond")])).toEqual([]);
});

test.each([
  [{ limit: 5, query: "lighthouse" }, "lighthouse"],
  [{ when: "noon", deep: { a: 1 } }, "noon"],
  [{ slow: 0.5, symbol: "ACME" }, "ACME"],
  [{ limit: 5, id: 7, symbol: "ACME" }, "7"],
  [{ n: 3 }, "3"],
  [{ list: [], text: " " }, ""],
  [{ deep: {} }, ""],
  [null, ""],
  ["plain", "plain"],
])("the telling argument of %j is %j", (value, wanted) => {
  expect(keyArgument(value)).toBe(wanted);
});

test("the telling argument is cut to one line", () => {
  expect(keyArgument({ text: "Much\nthat is said" }, 12)).toBe("Much that…");
});

test("a call knows which requests for approval were made of it", () => {
  const waits = [
    { id: "wait_1", kind: "approval", step_seq: 2 },
    { id: "wait_2", kind: "outcome", step_seq: 2 },
  ];
  const [stop] = trailOfSteps([step(1, "think"), step(2, "act")], waits);
  expect(stop?.kind === "calls" && stop.calls[0]?.approvals).toEqual(["wait_1"]);
});
