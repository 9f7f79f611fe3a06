import { describe, expect, it } from "vitest";

import type { Rule } from "@/api/policies";

import { check, serverErrors } from "./check";
import { blank, fromContent, toRule, type Values } from "./form";
import { RULE_TYPES } from "./words";

const scope = { agents: ["agt_1"], channels: [], tools: ["send_*"], effects: ["external_once"] } as const;
const panel = { role: null, users: ["usr_1"], requester: false, quorum: 2, four_eyes: true } as const;
const ask = { panels: [panel], expires_seconds: 5400, on_expiry: "reject", grants: false } as const;

const RULES = [
  {
    type: "tool_restriction", only: ["send_email"], never: ["delete_*"], allowed_actions: [], denied_actions: ["drop"],
    max_calls_per_interaction: 0,
  },
  { type: "tool_restriction", only: null, never: [], allowed_actions: null, denied_actions: [], max_calls_per_interaction: null },
  {
    type: "content_restriction", patterns: ["a+b", "c"], topics: [{ name: "Merger", words: ["merger", "deal"] }], detect: ["email"],
    region: "GB", then: "ask", ask,
  },
  {
    type: "approval", categories: ["external_email"], cost_above_micro: 1_250_000, ask,
    where: [
      { argument: "order.total", is: "above", value: 12.5 }, { argument: "to", is: "not_one_of", value: ["a", "b"] },
      { argument: "dry", is: "equal", value: true }, { argument: "code", is: "equal", value: "007" },
      { argument: "to", is: "matches", value: "*@example.com" },
    ],
  },
  { type: "network_egress", hosts: ["*.example.com"] },
  { type: "time_window", days: ["mon", "sun"], start: "22:00:00", end: "06:30:00", time_zone: "Europe/Berlin" },
  { type: "delegation_depth", max: 0 },
  { type: "cost_limit", per: "agent", period: "week", limit_micro: 50_000_000, currency: "USD", warn_at: [50, 80], time_zone: "UTC" },
  { type: "rate_limit", per: "user", of: "calls", about: "tool", strategy: "token_bucket", amount: 60, seconds: 7200, burst: 10 },
  { type: "rate_limit", per: "tool", of: "calls", about: "tool", strategy: "fixed_window", amount: 5, seconds: 90, burst: null },
]; // prettier-ignore

function values(more: Partial<Values>): Values {
  return { ...blank("tool_restriction", "UTC"), name: "x", ...more };
}

describe("the form of a policy", () => {
  it.each(RULES)("gives back what it was filled with: $type", (plain) => {
    const rule = { ...plain, scope } as unknown as Rule;
    const made = toRule(fromContent({ name: "x", enabled: true, priority: 100, rule }, "UTC"));
    const told = rule.type === "time_window" ? { ...rule, start: rule.start.slice(0, 5), end: rule.end.slice(0, 5) } : rule;
    expect({ ...made, ...("currency" in told ? { currency: told.currency } : {}) }).toEqual(told);
  });

  it("narrows rules about models to no tool", () => {
    const rule = { type: "model_allow_list", models: ["openai/*"], scope } as unknown as Rule;
    expect(toRule(fromContent({ name: "x", enabled: true, priority: 100, rule }, "UTC")).scope).toEqual({
      ...scope, tools: [], effects: [],
    }); // prettier-ignore
  });

  it("makes limits that the server takes: tokens are of models, whole turns have no period", () => {
    const rate = { ...blank("rate_limit", "UTC").rate, of: "tokens" as const, about: "tool" as const, amount: 5 };
    expect(toRule(values({ type: "rate_limit", rate }))).toMatchObject({ about: "model", of: "tokens" });
    const cost = { ...blank("cost_limit", "UTC").cost, per: "interaction" as const, limit: "1.5" };
    expect(toRule(values({ type: "cost_limit", cost }))).toMatchObject({ period: "total", limit_micro: 1_500_000 });
  });
});

describe("what is wrong with it", () => {
  it("is nothing for what the server would take, and something for every empty form", () => {
    const ready = new Set(["approval", "model_allow_list", "network_egress", "time_window", "trigger_mode_restriction", "delegation_depth"]);
    for (const type of RULE_TYPES) {
      expect([type, Object.keys(check({ ...blank(type, "UTC"), name: "x" })).length === 0]).toEqual([type, ready.has(type)]);
      expect(check(blank(type, "UTC"))["name"]).toBe("Give it a name.");
    }
  });

  it("stands beside its field", () => {
    const tool = { ...blank("tool_restriction", "UTC").tool, never: ["send email"] };
    expect(check(values({ tool }))["tool.never"]).toMatch(/“send email” is not a tool's name/);
    const where = [{ argument: "a b", is: "above" as const, value: "x", list: [] }];
    expect(check(values({ type: "approval", approval: { categories: ["Mail"], where, cost_above: "-1" } }))).toMatchObject({
      "approval.categories": expect.stringContaining("“Mail”") as string,
      "approval.where.0.argument": expect.stringContaining("Name the argument") as string,
      "approval.where.0.value": "Use a number.",
      "approval.cost_above": expect.stringContaining("dollars") as string,
    });
  });

  it("is put beside the field of which the server speaks", () => {
    const at = (path: string, type = "tool_restriction") => Object.keys(serverErrors({ [path]: "is wrong" }, type as Rule["type"]))[0];
    expect(at("name")).toBe("name");
    expect(at("rule.tool_restriction.never.0")).toBe("tool.never");
    expect(at("policy.rule.tool_restriction.scope.tools.1")).toBe("scope.tools");
    expect(at("rule")).toBe("");
    expect(at("rule.tool_restriction")).toBe("");
    expect(at("rule.ask.panels.1", "approval")).toBe("ask.panels.1.role");
    expect(at("rule.approval.where.2.value", "approval")).toBe("approval.where.2.value");
    expect(at("rule.approval.ask.expires_seconds", "approval")).toBe("ask.span");
    expect(at("rule.cost_limit.limit_micro", "cost_limit")).toBe("cost.limit");
  });
});
