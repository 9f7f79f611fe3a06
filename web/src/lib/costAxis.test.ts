import { expect, test } from "vitest";

import { axisCost, dayLabel, tickCost, ticks } from "./costAxis";
import { setPlace } from "./time";

setPlace("en-GB", "UTC");

test.each([
  [0.107, [0, 0.05, 0.1, 0.15], ["$0", "$0.05", "$0.10", "$0.15"]],
  [0.0031, [0, 0.001, 0.002, 0.003, 0.004], ["$0", "$0.001", "$0.002", "$0.003", "$0.004"]],
  [42, [0, 20, 40, 60], ["$0", "$20", "$40", "$60"]],
  [0, [0], ["$0"]],
])("the axis goes to %d in round steps", (highest, heights, words) => {
  expect(ticks(highest)).toEqual(heights);
  expect(heights.map((height) => axisCost(heights[1] ?? 1, height))).toEqual(words);
});

test("a calendar day is the same day everywhere", () => {
  expect(dayLabel("2026-12-31")).toBe("31 Dec");
});

test("the axis speaks money", () => {
  expect(tickCost(0.25)).toBe("$0.25");
});
