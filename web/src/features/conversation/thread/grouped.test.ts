import { expect, it } from "vitest";

import { grouped } from "./grouped";

const said = (user: string | null, agent: string | null, minute: number) => ({
  author_kind: user ? "user" : "agent",
  user_id: user,
  agent_id: agent,
  created_at: new Date(minute * 60_000).toISOString(),
});

it("groups what one author says within five minutes", () => {
  const all = [said("a", null, 0), said("a", null, 4), said("a", null, 9), said(null, "x", 9), said(null, "y", 9)];
  expect(grouped(all).map((one) => one.follows)).toEqual([false, true, false, false, false]);
  expect(grouped([])).toEqual([]);
});
