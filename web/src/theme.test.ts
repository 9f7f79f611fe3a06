import { describe, expect, it } from "vitest";

import { type Token, tokens } from "./theme";

const SURFACES: Token[] = ["ground", "side", "raised", "sunken", "hover", "selected"];
const WORDS: Token[] = ["text", "dimmed", "accent", "red", "amber", "green", "blue"];
const MARKS: Token[] = ["red-mark", "amber-mark", "green-mark", "blue-mark", "grey-mark", "line-control"];

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * (r ?? 0) + 0.7152 * (g ?? 0) + 0.0722 * (b ?? 0);
}

function contrast(one: string, other: string): number {
  const [high = 0, low = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

describe.each([
  ["light", 0],
  ["dark", 1],
] as const)("in the %s scheme", (_, scheme) => {
  it.each(WORDS)("%s can be read on every surface", (word) => {
    const worst = Math.min(...SURFACES.map((each) => contrast(tokens[word][scheme], tokens[each][scheme])));
    expect(worst).toBeGreaterThanOrEqual(4.5);
  });

  it.each(["red", "amber", "green", "blue", "accent"] as const)("%s can be read on its own soft ground", (word) => {
    expect(contrast(tokens[word][scheme], tokens[`${word}-soft`][scheme])).toBeGreaterThanOrEqual(4.5);
  });

  it("placeholders can be read in controls and on the ground", () => {
    for (const each of ["ground", "raised", "sunken"] as const) {
      expect(contrast(tokens.faint[scheme], tokens[each][scheme])).toBeGreaterThanOrEqual(4.5);
    }
  });

  it.each(MARKS)("%s is told from every calm surface", (mark) => {
    for (const each of ["ground", "side", "raised", "hover"] as const) {
      expect(contrast(tokens[mark][scheme], tokens[each][scheme])).toBeGreaterThanOrEqual(3);
    }
  });

  it("white words can be read on the filled accent", () => {
    expect(contrast("#ffffff", tokens["accent-fill"][scheme])).toBeGreaterThanOrEqual(4.5);
    expect(contrast("#ffffff", tokens["accent-fill-hover"][scheme])).toBeGreaterThanOrEqual(4.5);
  });
});
