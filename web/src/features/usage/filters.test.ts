import { expect, it } from "vitest";

import { daysOf, everyDay, exported, readSearch, toFilters } from "./filters";

const NOW = Date.parse("2026-11-21T22:00:00Z");
const AGENT = "agt_01m806h75ceapt097rvd2w02x6";

it("reads what it knows of an address, and nothing else", () => {
  expect(readSearch({ by: "model", span: "30d", agent_id: AGENT, model: "openai/gpt-4o", budget: "new", x: 1 })).toEqual({
    by: "model", span: "30d", agent_id: AGENT, model: "openai/gpt-4o", budget: "new",
  }); // prettier-ignore
  expect(readSearch({ by: "moon", span: "toString", agent_id: "usr_1", user_id: 3, budget: "pol_" })).toEqual({});
});

it("keeps agents out of the address, as they are told apart anyway", () => expect(readSearch({ by: "agent" })).toEqual({}));

it("takes a first and a last day before a span, and only such days as there are", () => {
  expect(readSearch({ from: "2026-02-01", to: "2026-02-28", span: "7d" })).toEqual({ from: "2026-02-01", to: "2026-02-28" });
  expect(readSearch({ from: "2026-02-01", to: "2026-02-30" })).toEqual({});
  expect(readSearch({ from: "2026-02-02", to: "2026-02-01", span: "7d" })).toEqual({ span: "7d" });
  expect(readSearch({ from: "2020-01-01", to: "2026-02-01" })).toEqual({});
});

it.each([
  [{}, "2026-11-01", "2026-12-01", 30],
  [{ span: "last" }, "2026-10-01", "2026-11-01", 31],
  [{ span: "7d" }, "2026-11-15", "2026-11-22", 7],
  [{ from: "2026-12-31", to: "2026-12-31" }, "2026-12-31", "2027-01-01", 1],
] as const)("asks for the days of %j", (search, since, until, many) => {
  const days = daysOf(search, NOW);
  expect(days).toEqual({ since, until });
  expect(everyDay(days)).toHaveLength(many);
  expect(everyDay(days)[0]).toBe(since);
});

it("exports by day and what is told apart, with the same filters", () => {
  const days = { since: "2026-11-01", until: "2026-12-01" };
  expect(toFilters({ agent_id: AGENT, by: "tool" }, days)).toEqual({ ...days, agent_id: AGENT });
  expect(exported({ by: "tool", agent_id: AGENT }, days)).toEqual({ by: ["day", "tool"], ...days, agent_id: AGENT });
});
