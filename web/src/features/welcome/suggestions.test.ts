import { expect, it } from "vitest";

import { greeter, suggestions } from "./suggestions";

it("offers three things either way", () => {
  expect(suggestions(true)).toHaveLength(3);
  expect(suggestions(false)).toHaveLength(3);
});

it("lets the Assistant greet, or whoever can", () => {
  const [old, paused, assistant] = [
    { slug: "old", status: "enabled" },
    { slug: "assistant", status: "paused" },
    { slug: "assistant", status: "enabled" },
  ];
  expect(greeter([old, assistant])).toBe(assistant);
  expect(greeter([paused, old])).toBe(old);
  expect(greeter([paused])).toBeUndefined();
});
