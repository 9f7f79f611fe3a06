import { expect, test } from "vitest";

import type { Tool } from "@/api/tools";

import { findTools, listed, withTool } from "./toolChoices";

const tool = (slug: string, name: string, more: Partial<Tool> = {}) =>
  ({ slug, name, description: "", shadowed: false, ...more }) as Tool;
const TOOLS = [tool("search", "Search", { description: "Finds messages" }), tool("clock", "Clock"), tool("old", "Old", { shadowed: true })];

test("known tools are listed by name, and what the agent has but nobody knows", () => {
  const rows = listed(TOOLS, [{ tool: "lost_tool", enabled: true, config: {} }]);
  expect(rows.map((row) => [row.name, row.known !== null])).toEqual([
    ["Clock", true],
    ["lost tool", false],
    ["Search", true],
  ]);
});

test("tools are found by name, slug and description", () => {
  const rows = listed(TOOLS, []);
  expect(findTools(rows, " ")).toHaveLength(2);
  expect(findTools(rows, "finds mess").map((row) => row.slug)).toEqual(["search"]);
});

test("a tool it had before stays set up while it is off; a new one is taken away", () => {
  const before = [{ tool: "a", enabled: true, config: { timeout_seconds: 5 } }];
  const off = withTool(before, "a", false, before);
  expect(off).toEqual([{ tool: "a", enabled: false, config: { timeout_seconds: 5 } }]);
  expect(withTool(off, "a", true, before)).toEqual(before);
  const both = withTool(before, "b", true, before);
  expect(both.map((choice) => choice.tool)).toEqual(["a", "b"]);
  expect(withTool(both, "b", false, before)).toEqual(before);
});
