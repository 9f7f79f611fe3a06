import { describe, expect, it } from "vitest";

import { bytes, compact, initials, label, names, plural, shorten, shortModel } from "./format";

it("writes large numbers short", () => {
  expect([999, 1_234, 3_000, 371_600, 3_400_000].map(compact)).toEqual(["999", "1.2k", "3.0k", "372k", "3.4M"]);
  expect([0, 640, 1_234, 250_000, 3_400_000, 20_971_520].map(bytes)).toEqual(["0 B", "640 B", "1.2 KB", "244 KB", "3.2 MB", "20 MB"]);
});

it("says one and many", () => {
  expect(plural(1, "message")).toBe("1 message");
  expect(plural(0, "reply", "replies")).toBe("0 replies");
});

it("names a few and counts the rest", () => {
  expect(names([])).toBe("");
  expect(names(["Ada"])).toBe("Ada");
  expect(names(["Ada", "Ben"])).toBe("Ada and Ben");
  expect(names(["Ada", "Ben", "Cyd", "Dee"])).toBe("Ada, Ben and 2 others");
});

it("makes labels of words", () => expect(label("in_development")).toBe("In development"));

describe("initials", () => {
  it.each([
    ["Ada Lovelace", "AL"],
    ["assistant", "A"],
    ["José de la Cruz", "JC"],
    ["", "?"],
    ["李 雷", "李雷"],
  ])("of %s are %s", (name, letters) => expect(initials(name)).toBe(letters));
});

it("cuts a text at a word", () => {
  expect(shorten("short", 20)).toBe("short");
  expect(shorten("a somewhat longer sentence", 18)).toBe("a somewhat longer…");
  expect(shorten("x".repeat(30), 10)).toBe(`${"x".repeat(9)}…`);
});

it("names a model without its provider and the day of its version", () => {
  const given = ["anthropic/claude-sonnet-4-5-20250929", "openai/gpt-4o", "gpt-4o-2024-08-06", "ollama/llama3.2"];
  expect(given.map(shortModel)).toEqual(["claude-sonnet-4-5", "gpt-4o", "gpt-4o", "llama3.2"]);
});
