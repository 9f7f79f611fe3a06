import { expect, test } from "vitest";

import { joined, type Turn, withoutAnswer } from "./turns";

function turn(number: number, state: Turn["state"], more: object = {}): Turn {
  return {
    id: `int_${number}`, agent_id: "agt_1", message_id: null, state, stop_reason: null, successor_id: null, error: null,
    error_detail: null, retries: 0, created_at: new Date(number * 1000).toISOString(), ended_at: null, ...more,
  }; // prettier-ignore
}

test("turns stand newest first, each once, as they are now", () => {
  const known = [turn(2, "running"), turn(1, "failed")];
  expect(joined(known, [turn(3, "queued"), turn(2, "succeeded")]).map(({ id, state }) => [id, state])).toEqual([
    ["int_3", "queued"],
    ["int_2", "succeeded"],
    ["int_1", "failed"],
  ]);
});

test("nothing is kept of a turn that a conversation does not show", () => {
  const whole = turn(1, "succeeded", { steps: [{ output: { text: "x".repeat(10_000) } }], cost: {} });
  expect(joined([], [whole])).toEqual([turn(1, "succeeded")]);
});

test("however many turns have ended well, only the newest are kept, and all that failed or go on", () => {
  let kept: readonly Turn[] = [turn(0, "running"), turn(1, "failed")];
  for (let number = 2; number < 500; number += 1) kept = joined(kept, [turn(number, "succeeded")]);
  expect(kept).toHaveLength(52);
  expect(kept[0]?.id).toBe("int_499");
  expect(kept.slice(-2).map(({ state }) => state)).toEqual(["failed", "running"]);
});

test("of the steps of a turn only what its message does not say is kept", () => {
  const step = (seq: number, kind: "think" | "act") => ({ seq, kind }) as NonNullable<Parameters<typeof withoutAnswer>[0]["steps"]>[number];
  expect(withoutAnswer({ steps: [step(1, "think"), step(2, "act"), step(3, "think")] }).steps.map(({ seq }) => seq)).toEqual([1, 2]);
  expect(withoutAnswer({ steps: [step(1, "think")] }).steps).toEqual([]);
});
