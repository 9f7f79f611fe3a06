import { expect, test } from "vitest";

import type { Agent } from "@/api/agents";
import type { Schemas } from "@/api/client";

import { matching, monthStart, rowsOf } from "./rows";

const agent = (id: string, name: string, more: Partial<Agent> = {}) =>
  ({ id, name, slug: name.toLowerCase(), description: "", model: null, ...more }) as Agent;
const ANN = agent("a", "Ann", { model: "openai/gpt-4o" });
const BEN = agent("b", "Ben", { description: "Keeps the calendar" });

test("the month begins on its first day in UTC", () => {
  expect(monthStart(new Date("2026-11-30T23:59:59Z"))).toBe("2026-11-01");
});

test("what is not known yet is not shown as nothing", () => {
  expect(rowsOf([ANN], undefined, undefined)).toEqual([{ agent: ANN, overview: null, cost: null, unpriced: false }]);
});

test("an agent without usage has cost nothing; unpriced replies are kept apart", () => {
  const used = { agent_id: "a", cost: { amount_micro: 5, currency: "USD" }, unpriced: 2 } as Schemas["UsageRow"];
  const [ann, ben] = rowsOf([ANN, BEN], new Map(), [used]);
  expect(ann).toMatchObject({ cost: { amount_micro: 5 }, unpriced: true });
  expect(ben).toMatchObject({ cost: { amount_micro: 0 }, unpriced: false });
});

test("searching looks at name, handle, description and model, for every word", () => {
  const rows = rowsOf([ANN, BEN], undefined, undefined);
  const found = (query: string) => matching(rows, query).map((row) => row.agent.name);
  expect(found(" ")).toEqual(["Ann", "Ben"]);
  expect(found("GPT")).toEqual(["Ann"]);
  expect(found("@ben calendar")).toEqual(["Ben"]);
  expect(found("ann calendar")).toEqual([]);
});
