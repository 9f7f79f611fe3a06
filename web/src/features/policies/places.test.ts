import { expect, it } from "vitest";

import type { Policy } from "@/api/policies";

import { inPlace, placesOf } from "./places";

const teams = [{ id: "team_1", name: "Sales" }, { id: "team_2", name: "Support" }]; // prettier-ignore

it("admins write everywhere, leads for their teams, everyone for themselves", () => {
  const lead = [{ team_id: null, role: "member" as const }, { team_id: "team_2", role: "lead" as const }, { team_id: "team_1", role: "member" as const }];
  expect(placesOf({ admin: true, teams, memberships: [] }).map(({ title }) => title)).toEqual(["Account", "Sales", "Support", "Mine"]);
  expect(placesOf({ admin: false, teams, memberships: lead }).map(({ title }) => title)).toEqual(["Support", "Mine"]);
  expect(placesOf({ admin: false, teams, memberships: [] }).map(({ title }) => title)).toEqual(["Mine"]);
});

it("policies stand in their place, by priority and name", () => {
  const policy = (name: string, priority: number, team_id: string | null = null) =>
    ({ name, priority, layer: team_id ? "team" : "account", team_id }) as Policy;
  const all = [policy("b", 100), policy("c", 5), policy("a", 100), policy("t", 1, "team_1")];
  const [account, sales] = placesOf({ admin: true, teams, memberships: [] });
  if (!account || !sales) throw new Error("there are no places");
  expect(inPlace(all, account).map(({ name }) => name)).toEqual(["c", "a", "b"]);
  expect(inPlace(all, sales).map(({ name }) => name)).toEqual(["t"]);
});
