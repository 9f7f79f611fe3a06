import { expect, test } from "vitest";

import { parsed } from "./appearance";

test("what was stored is read without trust", () => {
  expect(parsed({ density: "compact", hours: "h12" })).toEqual({ density: "compact", hours: "h12" });
  for (const odd of [null, 3, "x", { density: "dense", hours: 12 }])
    expect(parsed(odd)).toEqual({ density: "comfortable", hours: "auto" });
});
