import { describe, expect, it } from "vitest";

import { activity, channel, explain, interaction, ownPath, policy, signIn } from "./search";

describe("ownPath", () => {
  it("keeps a path of this server", () => expect(ownPath("/channels/ch_1?message=m")).toBe("/channels/ch_1?message=m"));

  it.each(["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "", "/sign-in?token=x"])(
    "leaves out %s",
    (path) => expect(ownPath(path)).toBeUndefined(),
  );
});

it("reads what it knows and nothing else", () => {
  expect(signIn({ token: "lnk_1", other: 1 })).toEqual({ token: "lnk_1" });
  expect(channel({ panel: "members", message: "msg_1", thread: ["x"] })).toEqual({ panel: "members", message: "msg_1" });
  expect(channel({ panel: "cellar" })).toEqual({});
  expect(activity({ state: "failed", min_cost: 0.5, since: "" })).toEqual({ state: "failed", min_cost: "0.5" });
});

it("reads a call to explain, with its arguments however they were written", () => {
  expect(explain({ agent: "agt_1", tool: "send_email", args: { to: "a@b.c" } })).toEqual({
    agent: "agt_1", tool: "send_email", args: '{"to":"a@b.c"}',
  }); // prettier-ignore
  expect(explain({ args: '{"to":1}', x: 1 })).toEqual({ args: '{"to":1}' });
  expect(policy({ layer: "team", team: "team_1", type: 3 })).toEqual({ layer: "team", team: "team_1", type: "3" });
  expect(policy({ layer: "moon" })).toEqual({});
});

it("reads a step as a number", () => {
  expect(interaction({ step: 3 })).toEqual({ step: 3 });
  expect(interaction({ step: "4" })).toEqual({ step: 4 });
  expect(interaction({ step: "x" })).toEqual({});
  expect(interaction({})).toEqual({});
});
