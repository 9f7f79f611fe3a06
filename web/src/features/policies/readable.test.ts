import { expect, it } from "vitest";

import { blank, fromContent, toRule } from "./form";
import { readable } from "./readable";
import { RULE_TYPES } from "./words";

it("what the form makes, the form can read", () => {
  for (const type of RULE_TYPES) {
    const rule = readable(toRule({ ...blank(type, "UTC"), name: "x" }));
    expect([type, rule?.type]).toEqual([type, type]);
    expect(fromContent({ name: "x", enabled: true, priority: 1, rule: rule! }, "UTC").type).toBe(type);
  }
});

it("a short rule is filled with what goes without saying", () => {
  expect(readable({ type: "approval", ask: { panels: [{ role: "lead" }] }, scope: { tools: ["a"] } })).toEqual({
    type: "approval", scope: { agents: [], channels: [], tools: ["a"], effects: [] }, categories: [], where: [], cost_above_micro: null,
    ask: {
      panels: [{ role: "lead", users: [], requester: false, quorum: 1, four_eyes: false }], expires_seconds: 86_400,
      on_expiry: "reject", grants: true,
    },
  }); // prettier-ignore
});

it.each([
  { type: "moon" },
  { type: "tool_restriction", only: "send_email" },
  { type: "tool_restriction", unknown: 1 },
  { type: "delegation_depth" },
  { type: "approval", ask: { panels: [] } },
  { type: "approval", ask: { panels: [{ role: "king" }] } },
  { type: "tool_restriction", scope: { agents: [3] } },
  { type: "approval", ask: { panels: [{}] }, where: [{ argument: "a" }] },
])("a rule that the form would lose something of stays text: %j", (rule) => {
  expect(readable(rule)).toBeNull();
});
