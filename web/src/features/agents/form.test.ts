import { expect, test } from "vitest";

import type { Agent } from "@/api/agents";

import { BLANK, check, fromAgent, handleOf, serverErrors, toChange, toNew, toolsChanged, type AgentValues } from "./form";

const AGENT = {
  name: "Ann",
  slug: "ann",
  description: "",
  accent_colour: "#4c6ef5",
  avatar: null,
  system_prompt: "Hi.",
  model: null,
  trust_level: "standard",
  default_trigger_mode: "mention",
  limits: { max_steps: 10, max_seconds: 90, max_tokens: null, max_cost_micro: 250_000, max_calls_per_tool: null },
  context: { recent_messages: 30, text_search: false },
} as unknown as Agent;

function values(change: Partial<AgentValues> = {}): AgentValues {
  return { ...BLANK, name: "Ann", ...change };
}

test("an agent survives the way into the form and back", () => {
  const seen = fromAgent(AGENT, [{ tool: "current_time", enabled: true, config: {} }]);
  expect(seen.limits).toMatchObject({ max_minutes: 1.5, max_cost: "0.25" });
  expect(toChange(seen, fromAgent(AGENT, []))).toEqual({});
  expect(toNew(seen)).toMatchObject({ slug: "ann", limits: AGENT.limits, tools: [{ tool: "current_time" }] });
});

test("only what changed is sent, an emptied field as null", () => {
  const before = fromAgent({ ...AGENT, model: "openai/gpt-4o" }, []);
  const after = { ...before, name: " Bea ", model: "", limits: { ...before.limits, max_cost: "" } };
  const change = toChange(after, before);
  expect(change).toMatchObject({ name: "Bea", model: null, limits: { max_cost_micro: null, max_seconds: 90 } });
  expect(Object.keys(change).sort()).toEqual(["limits", "model", "name"]);
});

test("tools are compared whatever their order", () => {
  const one = { tool: "a", enabled: true, config: {} };
  const two = { tool: "b", enabled: true, config: {} };
  expect(toolsChanged(values({ tools: [one, two] }), values({ tools: [two, one] }))).toBe(false);
  expect(toolsChanged(values({ tools: [one, two] }), values({ tools: [one, { ...two, enabled: false }] }))).toBe(true);
});

test("a blank form asks for a name and nothing else", () => {
  expect(Object.keys(check(BLANK))).toEqual(["name"]);
});

test.each<[string, Partial<AgentValues>]>([
  ["slug", { slug: "Not a handle" }],
  ["avatar", { avatar: "https://elsewhere.test/a.png" }],
  ["accent_colour", { accent_colour: "blue" }],
  ["model", { model: "a model" }],
  ["system_prompt", { system_prompt: "x".repeat(200_001) }],
  ["limits.max_steps", { limits: { ...BLANK.limits, max_steps: 0 } }],
  ["limits.max_steps", { limits: { ...BLANK.limits, max_steps: "" } }],
  ["limits.max_minutes", { limits: { ...BLANK.limits, max_minutes: 2000 } }],
  ["limits.max_tokens", { limits: { ...BLANK.limits, max_tokens: 0.5 } }],
  ["limits.max_cost", { limits: { ...BLANK.limits, max_cost: "cheap" } }],
  ["context.recent_messages", { context: { recent_messages: 501, text_search: false } }],
])("%s is refused where it is wrong", (field, change) => {
  expect(Object.keys(check(values(change)))).toEqual([field]);
});

test("handles are made from names as the server makes them", () => {
  expect(handleOf("Dr. Ann's helper")).toBe("dr-ann-s-helper");
  expect(handleOf("猫")).toBe("agent");
  expect(handleOf("x".repeat(80))).toHaveLength(55);
});

test("the server's reasons reach the fields of the form", () => {
  const found = serverErrors({
    model: "Cannot be reached",
    "limits.max_seconds": "Too long",
    "tools.0.config": "Is wrong",
    "header.if-match": "Odd",
  });
  expect(found).toEqual({ model: "Cannot be reached", "limits.max_minutes": "Too long", tools: "Is wrong", "": "Odd" });
});
