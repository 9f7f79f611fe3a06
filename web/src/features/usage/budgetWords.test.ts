import { expect, it } from "vitest";

import type { Budget } from "@/api/budgets";
import { setPlace } from "@/lib/time";

import { parts, paceWords, percent, potsOf, standing, usedWords } from "./budgetWords";

setPlace("en-GB", "UTC");

const usd = (amount: number) => ({ amount_micro: amount * 1_000_000, currency: "USD" });
const budget = (given: Partial<Budget> & { used?: number; held?: number; most?: number; ahead?: number }): Budget => {
  const { used = 0, held = 0, most = 50, ahead, ...more } = given;
  return {
    policy_id: "pol_1", name: "Company", layer: "account", team_id: null, user_id: null, per: "account",
    subject: { kind: "account", id: "acc_1", name: "Home" }, period: "month", starts_at: "2026-11-01T00:00:00Z",
    ends_at: "2026-12-01T00:00:00Z", limit: usd(most), spent: usd(used), reserved: usd(held), left: usd(Math.max(0, most - used - held)),
    forecast: ahead === undefined ? null : usd(ahead), warn_at: [80], warned: 0, ...more,
  };
}; // prettier-ignore

it("says what is used, and where it leads", () => {
  const one = budget({ used: 12.4, ahead: 38 });
  expect(`${usedWords(one)}${paceWords(one)}`).toBe("$12.40 of $50.00 this month; at this pace $38.00");
  expect(standing(one)).toBeNull();
  expect(paceWords(budget({ used: 50, ahead: 70 }))).toBe("");
});

it.each([
  [budget({ used: 41 }), "aware", "Near its limit: 82% used."],
  [budget({ used: 30, ahead: 60 }), "aware", "Likely used up around 26 Nov."],
  [budget({ used: 41, ahead: 60 }), "aware", "Near its limit: 82% used, likely used up around 26 Nov."],
  [budget({ used: 50.01, ahead: 60 }), "attention", "Used up: what costs is refused until 1 Dec."],
  [budget({ used: 60, period: "total", ends_at: null, starts_at: null }), "attention", "Used up: what costs is refused."],
  [budget({ used: 45, held: 5 }), "attention", "Used up while the calls that run now hold the rest."],
  [budget({ most: 0 }), "dormant", "Nothing may be spent."],
] as const)("tells in words how it stands (%#)", (one, meaning, words) => {
  expect(standing(one)).toEqual({ meaning, words });
});

it("never calls a budget whole that is not, nor draws more than there is", () => {
  expect(percent(budget({ used: 49.999 }))).toBe(99);
  expect(parts(budget({ used: 45, held: 20 }))).toEqual({ spent: 90, reserved: 10 });
  expect(parts(budget({ used: 80, held: 20 }))).toEqual({ spent: 100, reserved: 0 });
});

it("puts what one policy counts together, and says what it is about", () => {
  const pots = potsOf([
    budget({ per: "agent", policy_id: "pol_2", subject: { kind: "agent", id: "agt_1", name: "Ada" } }),
    budget({ per: "agent", policy_id: "pol_2", subject: { kind: "agent", id: "agt_2", name: "Bo" } }),
    budget({ per: "team", layer: "team", team_id: "team_1", policy_id: "pol_3" }),
    budget({ per: "interaction", period: "total", policy_id: "pol_4" }),
    budget({ per: "user", layer: "user", period: "week", policy_id: "pol_5" }),
  ], [{ id: "team_1", name: "Sales" }]); // prettier-ignore
  expect(pots.map(({ about, budgets }) => [about, budgets.length])).toEqual([
    ["Each agent, per month", 2],
    ["The team Sales, per month", 1],
    ["Each turn with all it hands on", 1],
    ["All that is done for you, per week", 1],
  ]);
});
