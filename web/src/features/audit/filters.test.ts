import { describe, expect, it } from "vitest";

import { isFiltered, readSearch, toFilters } from "./filters";

const NOW = Date.parse("2026-01-05T10:20:30.500Z");
const USER = "usr_01fwhe4yde7k1sjh6w1g61ee7f";
const LINE = "aud_01fwhe4yde7k1sjh6w1g61ee7f";

describe("the filters of the record", () => {
  it("read from an address only what they understand", () => {
    const whole = { event: "tool.", actor: USER, since: "7d", until: "2026-01-01T00:00:00Z", line: LINE };
    expect(readSearch({ ...whole, odd: 1 })).toEqual(whole);
    expect(readSearch({ event: "<b>", actor: "somebody", since: "soon", until: "never", line: USER })).toEqual({});
  });

  it("ask for a person or agent by id, for others by what they are", () => {
    expect(toFilters({ actor: USER }, NOW)).toEqual({ actor_id: USER });
    expect(toFilters({ actor: "system" }, NOW)).toEqual({ actor_type: "system" });
  });

  it("count back from when the page was opened", () => {
    expect(toFilters({ event: "agent.", since: "1h" }, NOW)).toEqual({ event: "agent.", since: "2026-01-05T09:20:00.000Z" });
  });

  it("do not count the open line as a filter", () => {
    expect(isFiltered({ line: LINE })).toBe(false);
    expect(isFiltered({ event: "tool." })).toBe(true);
  });
});
