import { expect, it } from "vitest";

import type { Policy } from "@/api/policies";

import { check, mayEdit, moved, parseWarnings, placesOf, remarks, serverErrors, subjects, toChange, toNew, valuesOf } from "./budgetForm";

const TEAMS = [{ id: "team_1", name: "Sales" }, { id: "team_2", name: "Support" }]; // prettier-ignore
const LEAD = [{ team_id: null, role: "member" }, { team_id: "team_1", role: "lead" }, { team_id: "team_2", role: "member" }]; // prettier-ignore
const SCOPE = { agents: ["agt_1"], channels: [], tools: [], effects: [] };
const POLICY: Policy = {
  id: "pol_1", name: "Sales", layer: "team", team_id: "team_1", user_id: null, type: "cost_limit", enabled: true, priority: 7, version: 4,
  changed_by: null, created_at: "", updated_at: "",
  rule: {
    type: "cost_limit", scope: SCOPE, per: "team", period: "week", limit_micro: 12_500_000, currency: "USD", warn_at: [50, 80],
    time_zone: "Europe/Lisbon",
  },
}; // prettier-ignore

it("lets admins keep budgets everywhere, leads in their teams, everyone for themselves", () => {
  const values = (admin: boolean, memberships: typeof LEAD) => placesOf({ admin, teams: TEAMS, memberships }).map(({ value }) => value);
  expect(values(true, [])).toEqual(["account", "team_1", "team_2", "user"]);
  expect(values(false, LEAD)).toEqual(["team_1", "user"]);
  expect(values(false, [])).toEqual(["user"]);
  const lead = placesOf({ admin: false, teams: TEAMS, memberships: LEAD });
  expect(mayEdit(POLICY, lead)).toBe(true);
  expect(mayEdit({ layer: "team", team_id: "team_2" }, lead)).toBe(false);
  expect(mayEdit({ layer: "account", team_id: null }, lead)).toBe(false);
});

it("changes what it shows and keeps what it does not", () => {
  const values = valuesOf(POLICY, "account", "UTC");
  expect(values).toMatchObject({ place: "team_1", limit: "12.5", warn: "50, 80", zone: "Europe/Lisbon" });
  expect(toChange({ ...values, limit: "20" }, POLICY)).toEqual({
    name: "Sales", version: 4, rule: { ...POLICY.rule, limit_micro: 20_000_000 },
  }); // prettier-ignore
});

it("makes a policy of its place", () => {
  const values = { ...valuesOf(null, "account", "Europe/Berlin"), name: " Company ", limit: "0.50" };
  expect(toNew(values)).toMatchObject({
    name: "Company", layer: "account", team_id: null,
    rule: { per: "account", period: "month", limit_micro: 500_000, warn_at: [80], time_zone: "Europe/Berlin" },
  }); // prettier-ignore
  expect(toNew(moved(values, "team_1"))).toMatchObject({ layer: "team", team_id: "team_1", rule: { per: "team" } });
  expect(toNew({ ...values, per: "interaction" })).toMatchObject({ rule: { per: "interaction", period: "total" } });
});

it("offers what can be added up in a place, and keeps what is set", () => {
  expect(subjects("user", "user").map(({ value }) => value)).not.toContain("team");
  expect(subjects("team_1", "account").map(({ value }) => value)).toContain("account");
});

it("says what is wrong", () => {
  const values = valuesOf(null, "account", "UTC");
  expect(Object.keys(check(values))).toEqual(["name", "limit"]);
  expect(check({ ...values, name: "a", limit: "1e3", warn: "0" })).toHaveProperty("warn");
  expect(parseWarnings("80%, 50 80")).toEqual([50, 80]);
  expect(parseWarnings("")).toEqual([]);
  expect(parseWarnings("101")).toBeNull();
});

it("puts the server's reasons beside their fields", () => {
  expect(serverErrors({ "rule.cost_limit.limit_micro": "Is too much.", name: "Is too long.", priority: "Is odd." })).toEqual({
    limit: "Is too much.", name: "Is too long.", "": "Is odd.",
  }); // prettier-ignore
});

it("tells what whoever saved should know", () => {
  expect(remarks({ warnings: [], ceilings: [], personal_ceilings: 0 })).toEqual([]);
  expect(remarks({ warnings: ["Odd."], ceilings: [{ name: "Sales", detail: "allows 50 USD, 20 USD are given above" }], personal_ceilings: 1 })).toEqual([
    "Odd.",
    "“Sales” now promises more than this gives: it allows 50 USD, 20 USD are given above.",
    "A person’s own budget promises more. The tighter of both holds.",
  ]);
});
