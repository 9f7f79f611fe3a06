import { describe, expect, it } from "vitest";

import { activity, channel, interaction, ownPath, signIn } from "./search";

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

it("reads a step as a number", () => {
  expect(interaction({ step: 3 })).toEqual({ step: 3 });
  expect(interaction({ step: "4" })).toEqual({ step: 4 });
  expect(interaction({ step: "x" })).toEqual({});
  expect(interaction({})).toEqual({});
});
