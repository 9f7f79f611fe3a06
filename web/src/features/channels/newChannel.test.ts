import { describe, expect, it } from "vitest";

import { BLANK, body, check, placed } from "./newChannel";

describe("the form of a new channel", () => {
  it("wants a name, and a team for a team's channel", () => {
    expect(check({ ...BLANK, name: "  " })).toEqual({ name: "Give it a name." });
    expect(check({ ...BLANK, kind: "team", name: "x" })).toEqual({ teamId: "Choose the team." });
    expect(check({ ...BLANK, name: "x".repeat(121) }).name).toMatch(/120/);
    expect(check({ ...BLANK, name: "Sales" })).toEqual({});
  });
  it("sends a team only with the kind team", () => {
    const form = { kind: "group" as const, name: " Sales ", teamId: "team_1", members: ["usr_1", "agt_1"] };
    expect(body(form)).toEqual({ kind: "group", name: "Sales", members: [{ user_id: "usr_1" }, { agent_id: "agt_1" }] });
    expect(body({ ...form, kind: "team" })).toMatchObject({ team_id: "team_1" });
  });
  it("puts the server's reasons at their fields", () => {
    expect(placed({ "name": "Too long", "team_id": "No such team", "members.0.user_id": "Gone", "other": "Odd" })).toEqual({
      errors: { name: "Too long", teamId: "No such team", members: "Gone" },
      rest: ["Odd"],
    });
  });
});
