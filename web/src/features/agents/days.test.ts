import { expect, test } from "vitest";

import type { AgentDay } from "@/api/agents";
import { setPlace } from "@/lib/time";

import { bars, summary, weeks } from "./days";

const day = (day: string, micro: number, turns = 1, failed = 0): AgentDay => ({
  day,
  turns,
  failed,
  cost: { amount_micro: micro, currency: "USD" },
  input_tokens: 0,
  output_tokens: 0,
});

setPlace("en-GB", "UTC");

test("there is a label a week, the last day has one", () => {
  expect(weeks(["a", "b", "c", "d", "e", "f", "g", "h", "i"])).toEqual(["b", "i"]);
});

test("bars stand from the oldest day to the newest, in dollars", () => {
  expect(bars([day("2026-03-02", 250_000), day("2026-03-01", 0)])).toEqual([
    { label: "1 Mar", cost: 0, turns: 1 },
    { label: "2 Mar", cost: 0.25, turns: 1 },
  ]);
});

test("sums are exact and empty days sum to nothing", () => {
  expect(summary([day("2026-03-01", 1, 2, 1), day("2026-03-02", 2, 3)])).toEqual({
    cost: { amount_micro: 3, currency: "USD" },
    turns: 5,
    failed: 1,
    most: 2,
  });
  expect(summary([])).toEqual({ cost: { amount_micro: 0, currency: "USD" }, turns: 0, failed: 0, most: 0 });
});
