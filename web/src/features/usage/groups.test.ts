import { expect, it } from "vitest";

import type { UsageRow } from "@/api/usage";
import { setPlace } from "@/lib/time";

import { groupsOf, labelled, nameOf, REST, stackOf, type Known } from "./groups";

setPlace("en-GB", "UTC");

const KNOWN: Known = {
  agents: [{ id: "a", name: "Ada" }, { id: "b", name: "Bo" }], people: [], teams: undefined, tools: [{ slug: "web_search", name: "Web search" }],
  accents: new Map([["a", "#111111"], ["b", "#222222"]]),
}; // prettier-ignore

const row = (given: Partial<UsageRow>, micro: number): UsageRow => ({
  day: null, agent_id: null, model: null, tool: null, user_id: null, team_id: null, interactions: 1, model_calls: 2, tool_calls: 1,
  input_tokens: 10, output_tokens: 5, unpriced: 0, cost: { amount_micro: micro, currency: "USD" }, ...given,
}); // prettier-ignore

it("puts first what cost most, with its part of the whole", () => {
  const groups = groupsOf([row({ agent_id: "a" }, 1_000_000), row({ agent_id: "b", unpriced: 2 }, 3_000_000)], "agent", KNOWN);
  expect(groups.map(({ name, share, colour, unpriced }) => [name, share, colour, unpriced])).toEqual([
    ["Bo", 0.75, "#222222", 2],
    ["Ada", 0.25, "#111111", 0],
  ]);
});

it("gives agents of one colour shades of one hue instead", () => {
  const same = { ...KNOWN, accents: new Map([["a", "#111111"], ["b", "#111111"]]) }; // prettier-ignore
  const colours = groupsOf([row({ agent_id: "a" }, 1), row({ agent_id: "b" }, 2)], "agent", same).map(({ colour }) => colour);
  expect(new Set(colours).size).toBe(2);
  expect(colours).not.toContain("#111111");
});

it("says what stands for none, what is gone, and what is not known yet", () => {
  expect(nameOf("tool", "", KNOWN)).toBe("Models");
  expect(nameOf("user", "", KNOWN)).toBe("Nobody’s request");
  expect(nameOf("user", "u", KNOWN)).toBe("A person who is gone");
  expect(nameOf("team", "t", KNOWN)).toBe("…");
  expect(nameOf("tool", "web_search", KNOWN)).toBe("Web search");
  expect(nameOf("model", "openai/gpt-4o-2024-11-20", KNOWN)).toBe("gpt-4o");
});

it("stacks every day, with all that has no colour in one", () => {
  const models = ["m1", "m2", "m3", "m4", "m5", "m6", "m7"];
  const rows = models.map((model, at) => row({ model, day: "2026-11-02" }, 7_000_000 - at * 1_000_000));
  const groups = groupsOf(rows, "model", KNOWN);
  const stack = stackOf(rows, ["2026-11-01", "2026-11-02"], groups, "model", true);
  expect(stack.series.map(({ label }) => label)).toEqual(["m1", "m2", "m3", "m4", "m5", "All others"]);
  expect(stack.days[0]).toEqual({ day: "2026-11-01", label: "1 Nov" });
  expect(stack.days[1]).toMatchObject({ label: "2 Nov", s0: 7, s4: 3, rest: 3 });
  expect(stack.highest).toBe(28);
});

it("makes one bar of a day where things could not be told apart", () => {
  const groups = groupsOf([row({ agent_id: "a" }, 5)], "agent", KNOWN);
  const stack = stackOf([row({ day: "2026-11-01" }, 2_000_000)], ["2026-11-01"], groups, "agent", false);
  expect(stack.series.map(({ label }) => label)).toEqual(["Cost"]);
  expect(stack.days).toEqual([{ day: "2026-11-01", label: "1 Nov", rest: 2 }]);
});

it("names the one that is left over", () => {
  const rows = ["m1", "m2", "m3", "m4", "m5", "m6"].map((model, at) => row({ model, day: "2026-11-01" }, 60 - at));
  const { series } = stackOf(rows, ["2026-11-01"], groupsOf(rows, "model", KNOWN), "model", true);
  expect(series.at(-1)).toEqual({ name: "rest", label: "m6", color: REST });
});

it("labels at most eight days, the first among them", () => {
  const days = Array.from({ length: 30 }, (_, at) => String(at));
  expect(labelled(days)).toEqual(["0", "5", "10", "15", "20", "25"]);
  expect(labelled(["a", "b"])).toEqual(["a", "b"]);
});
