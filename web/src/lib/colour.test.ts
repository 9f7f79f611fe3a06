import { expect, test } from "vitest";

import { tokens } from "@/theme";

import { contrast, faintOn, GROUNDS, luminance } from "./colour";

test("the grounds are the theme's", () => {
  expect([GROUNDS.light, GROUNDS.dark]).toEqual([...tokens.ground]);
});

test("contrast runs from 1 to 21 in either order", () => {
  expect(contrast("#000000", "#ffffff")).toBeCloseTo(21, 5);
  expect(contrast("#ffffff", "#000000")).toBeCloseTo(21, 5);
  expect(contrast("#4c6ef5", "#4c6ef5")).toBe(1);
});

test("what is no colour has no contrast", () => {
  expect(luminance("red")).toBeNull();
  expect(contrast("#12345", "#ffffff")).toBeNull();
});

test("a mark too light or too dark is named with its ground", () => {
  expect(faintOn("#ffff99")).toEqual(["light"]);
  expect(faintOn("#101010")).toEqual(["dark"]);
  expect(faintOn("#4c6ef5")).toEqual([]);
  expect(faintOn("nothing")).toEqual(["light", "dark"]);
});
