import { describe, expect, it } from "vitest";

import type { Rule } from "@/api/policies";

import { meaning, placeWords, ruleWords, type Names } from "./words";

const names: Names = {
  agent: (id) => ({ agt_1: "Ledger" })[id],
  channel: (id) => ({ ch_1: "general" })[id],
  person: (id) => ({ usr_1: "Ada" })[id],
  team: (id) => ({ team_1: "Sales" })[id],
};
const scope = { agents: [], channels: [], tools: [], effects: [] };
const panel = { role: "admin", users: [], requester: false, quorum: 1, four_eyes: false } as const;
const ask = { panels: [panel], expires_seconds: 86_400, on_expiry: "reject", grants: true } as const;

function words(rule: object): string {
  return ruleWords({ scope, ...rule } as unknown as Rule, names);
}

describe("a policy in a line", () => {
  it("says which tools, for what and how often", () => {
    const rest = { allowed_actions: null, denied_actions: [], max_calls_per_interaction: null };
    expect(words({ type: "tool_restriction", only: null, never: ["send_email"], ...rest })).toBe("Never Send email");
    expect(words({ type: "tool_restriction", only: ["search_messages", "read_*"], never: [], ...rest, max_calls_per_interaction: 1 })).toBe(
      "Only Search messages and read_*, each at most once in one turn",
    );
    expect(words({ type: "tool_restriction", only: [], never: [], ...rest })).toBe("No tool at all");
  });

  it("says who approves what, and when", () => {
    const where = [{ argument: "amount", is: "above", value: 100 }];
    const rule = { type: "approval", categories: ["financial_transaction"], where, cost_above_micro: 500_000, ask };
    expect(words(rule)).toBe("An admin approves financial transaction where amount is above 100 and it may cost more than $0.50");
    expect(words({ ...rule, categories: [], where: [], cost_above_micro: null, scope: { ...scope, tools: ["send_email"] } })).toBe(
      "An admin approves every call with Send email",
    );
  });

  it("says what is looked for and what then happens", () => {
    const rule = { type: "content_restriction", patterns: ["x"], topics: [{ name: "Merger", words: ["merger"] }], detect: ["email", "card"] };
    expect(words({ ...rule, then: "redact", ask })).toBe("Takes out e-mail addresses and card numbers; the topic Merger; 1 pattern");
    expect(words({ ...rule, patterns: [], topics: [], then: "ask", ask })).toBe(
      "Asks about e-mail addresses and card numbers, an admin decides",
    );
  });

  it("says amounts in dollars and spans in whole units", () => {
    expect(words({ type: "cost_limit", per: "agent", period: "month", limit_micro: 50_000_000, currency: "USD" })).toBe(
      "At most $50.00 a month for each agent",
    );
    expect(words({ type: "rate_limit", per: "user", of: "calls", about: "tool", amount: 60, seconds: 60 })).toBe(
      "At most 60 calls of tools in 1 minute for each person",
    );
  });

  it("says days as spans, with the zone", () => {
    const rule = { type: "time_window", days: ["mon", "tue", "wed", "thu", "fri"], start: "08:00:00", end: "18:00:00", time_zone: "Europe/Berlin" };
    expect(words(rule)).toBe("Only Monday to Friday, 08:00 to 18:00 (Europe/Berlin)");
    expect(words({ ...rule, days: ["sat", "sun", "tue"], start: "00:00:00", end: "00:00:00" })).toBe(
      "Only Tuesday and Saturday, Sunday (Europe/Berlin)",
    );
  });

  it("says every day, and acting outside, in a word", () => {
    const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    const where = { ...scope, effects: ["external_once", "read", "external_keyed"] };
    expect(words({ type: "time_window", days, start: "07:00:00", end: "22:00:00", time_zone: "UTC", scope: where })).toBe(
      "Every day, 07:00 to 22:00 (UTC) when reading or acting outside",
    );
  });

  it("says where it applies", () => {
    const where = { agents: ["agt_1", "agt_9"], channels: ["ch_1"], tools: [], effects: ["external_once"] };
    expect(words({ type: "model_allow_list", models: ["openai/*"], scope: where })).toBe(
      "Only openai/* for Ledger and an agent that is gone, in general, when acting outside, never repeated",
    );
    expect(words({ type: "delegation_depth", max: 0 })).toBe("Work is never passed on");
    expect(placeWords({ layer: "team", team_id: "team_1" }, names)).toBe("Team Sales");
  });

  it("says that it cannot be read, and what that means", () => {
    expect(meaning({ rule: null }, names)).toMatch(/refused until/);
  });
});
