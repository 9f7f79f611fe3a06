import { expect, test } from "vitest";

import { headLength, nextSplit, shifted } from "./split";

function rows(from: number, to: number) {
  return Array.from({ length: to - from + 1 }, (_, index) => ({ key: `r${from + index}` }));
}

const BOTTOM = { present: true, bottom: true };
const ABOVE = { present: true, bottom: false };

test("at first the last twelve are not virtual, and few rows are all in the page", () => {
  expect(nextSplit(null, rows(1, 50), BOTTOM)).toEqual({ after: "r38" });
  expect(nextSplit(null, rows(1, 8), BOTTOM)).toEqual({ after: null });
});

test("what comes stays in the page while the reader is further up", () => {
  const split = nextSplit(null, rows(1, 50), BOTTOM);
  expect(nextSplit(split, rows(1, 300), ABOVE)).toBe(split);
  expect(headLength(rows(1, 300), split)).toBe(38);
});

test("what has piled up becomes virtual once the reader is at the bottom", () => {
  const split = nextSplit(null, rows(1, 50), BOTTOM);
  expect(nextSplit(split, rows(1, 60), BOTTOM)).toBe(split);
  expect(nextSplit(split, rows(1, 300), BOTTOM)).toEqual({ after: "r288" });
});

test("older rows at the front change nothing", () => {
  const split = nextSplit(null, rows(10, 50), BOTTOM);
  expect(nextSplit(split, rows(1, 50), ABOVE)).toBe(split);
  expect(headLength(rows(1, 50), split)).toBe(38);
});

test("the past is virtual as a whole", () => {
  expect(nextSplit(null, rows(1, 50), { present: false, bottom: false })).toEqual({ after: "r50" });
});

test("a split whose row has gone is made anew", () => {
  expect(nextSplit({ after: "r1" }, rows(100, 150), ABOVE)).toEqual({ after: "r138" });
});

test("rows that come or go at the front are a shift; others are not", () => {
  expect(shifted(rows(10, 20), rows(1, 20))).toBe(true);
  expect(shifted(rows(1, 20), rows(10, 20))).toBe(true);
  expect(shifted(rows(1, 20), rows(1, 30))).toBe(false);
  expect(shifted(rows(1, 20), rows(50, 70))).toBe(false);
  expect(shifted([], rows(1, 2))).toBe(false);
});
