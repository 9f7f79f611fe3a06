import { describe, expect, it } from "vitest";

import { isFiltered, nameOf, readSearch, sortOf, toFilters } from "./filters";

const NOW = Date.parse("2026-01-05T10:20:30.500Z");

describe("the filters of the log", () => {
  it("read from an address only what they understand", () => {
    const raw = { state: "failed", agent_id: "agt_1", since: "7d", min_cost: "0.05", q: "invoice", sort: "cost", odd: 1 };
    expect(readSearch(raw)).toEqual({
      state: "failed", agent_id: "agt_1", since: "7d", min_cost: "0.05", q: "invoice", sort: "cost",
    }); // prettier-ignore
    expect(readSearch({ state: "odd", agent_id: 3, since: "soon", min_cost: "-1", sort: "newest" })).toEqual({});
  });

  it("count ranges back in whole minutes, so that the same question stays the same", () => {
    expect(toFilters({ since: "1h" }, NOW)).toEqual({ since: "2026-01-05T09:20:00.000Z" });
    expect(toFilters({ since: "1h" }, NOW + 20_000)).toEqual(toFilters({ since: "1h" }, NOW));
    expect(toFilters({ since: "2026-01-01T00:00:00Z" }, NOW)).toEqual({ since: "2026-01-01T00:00:00.000Z" });
  });

  it("ask for cost in whole micro-units", () => {
    expect(toFilters({ min_cost: "0.1" }, NOW)).toEqual({ min_cost_micro: 100_000 });
  });

  it("do not count the order as a filter", () => {
    expect(isFiltered({ sort: "cost" })).toBe(false);
    expect(isFiltered({ state: "failed" })).toBe(true);
  });

  it("show every order as a column of the table, and back", () => {
    for (const order of ["newest", "oldest", "cost", "slowest"] as const) expect(nameOf(sortOf(order))).toBe(order);
    expect(nameOf({ by: "cost", descending: false })).toBe("newest");
    expect(nameOf(null)).toBe("newest");
  });
});
