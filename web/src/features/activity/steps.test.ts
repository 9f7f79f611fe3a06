import { describe, expect, it } from "vitest";

import type { Interaction, Step, Wait } from "@/api/interactions";

import { stepAbout, stepTitle, stepTries, stepUse, stepWords, toTimeline, waitAnswer } from "./steps";

function step(more: Partial<Step>): Step {
  return {
    seq: 1, kind: "think", state: "success", mode: "immediate", parent_seq: null, tool: null, effect: "read", attempt: 1,
    input: {}, output: null, error: null, cost: { amount_micro: 0, currency: "USD" }, input_tokens: 0, output_tokens: 0,
    started_at: "2026-01-05T10:00:00Z", ended_at: "2026-01-05T10:00:01.200Z", policy: null, ...more,
  }; // prettier-ignore
}

describe("a step", () => {
  it("is named in words, with its telling argument", () => {
    const call = step({ kind: "act", tool: "get_stock", input: { arguments: { slow: 0.5, symbol: "ACME" } } });
    expect([stepTitle(call), stepAbout(call)]).toEqual(["Get stock", "ACME"]);
    expect(stepAbout(step({ kind: "act", tool: "get_stock", input: { arguments: {} } }))).toBeNull();
    expect(stepAbout(step({ output: { text: "", calls: 2 } }))).toBe("asks for 2 tools");
  });

  it("is told whole to those who do not see its bar", () => {
    const output = { content: { detail: "There is no weather station in Atlantis." } };
    const input = { arguments: { city: "Atlantis" } };
    const failed = step({ kind: "act", tool: "get_weather", state: "failed", error: "endpoint_error", input, output });
    expect(stepWords(failed, 0)).toBe(
      "Get weather, Atlantis: failed after 1.2 s. There is no weather station in Atlantis.",
    );
  });

  it("says when its price is not known instead of nothing", () => {
    expect(stepUse(step({ cost: null }))).toBe("price unknown");
    expect(stepUse(step({}))).toBeNull();
  });
});

describe("a turn", () => {
  it("tells retries from takeovers, and counts no answered question as either", () => {
    const turn = { attempt: 4, retries: 1, waits: [{ state: "resolved" }] } as Interaction;
    expect(stepTries(turn)).toBe("1 retry, 1 takeover");
    expect(stepTries({ ...turn, attempt: 1 })).toBeNull();
    expect(stepTries({ ...turn, attempt: 2, retries: 0 })).toBeNull();
  });

  it("has a delegated turn under the call that was running when it began", () => {
    const call = step({ seq: 2, kind: "act", parent_seq: 1 });
    const turn = { id: "int_1", steps: [step({}), call], waits: [] } as unknown as Interaction;
    const child = { id: "int_2", created_at: "2026-01-05T10:00:00.500Z", steps: [], waits: [] } as unknown as Interaction;
    const late = { ...child, id: "int_3", created_at: "2026-01-05T11:00:00Z" };
    expect(toTimeline(turn, [child, late]).children?.map((one) => one.under)).toEqual([2, null]);
  });
});

describe("a wait", () => {
  it("tells what came of it", () => {
    const wait = { state: "resolved", resolution: { happened: false, retry: true } } as unknown as Wait;
    expect(waitAnswer(wait)).toBe("It did not happen, and was done again.");
    expect(waitAnswer({ ...wait, state: "expired" })).toBe("Nobody answered in time.");
    expect(waitAnswer({ ...wait, state: "open" })).toBeNull();
  });
});
