import { expect, test } from "vitest";

import { ofInteraction, ofStep } from "./states";

test("a step that was stopped did not fail", () => {
  expect(ofStep({ state: "failed", error: "cancelled" })).toEqual({ meaning: "dormant", label: "Stopped" });
  expect(ofStep({ state: "failed", error: "timeout" })).toEqual({ meaning: "attention", label: "Failed" });
});

test("a state of a newer server is spelt out", () => {
  expect(ofStep({ state: "set_aside" })).toEqual({ meaning: "dormant", label: "Set aside" });
});

test("what turns and steps have in common is called the same", () => {
  expect(ofInteraction("running")).toEqual(ofStep({ state: "running" }));
  expect(ofInteraction("succeeded")).toEqual(ofStep({ state: "success" }));
});
