import { describe, expect, it } from "vitest";

import { isWriting, meaning, PLACES } from "./shortcuts";

const press = (key: string, at = 0, more: object = {}) => ({ key, at, modified: false, writing: false, ...more });

describe("meaning", () => {
  it("goes where g and a letter say", () => {
    expect(meaning(press("g", 100), null)).toEqual({ kind: "begun", at: 100 });
    expect(meaning(press("s", 500), 100)).toEqual({ kind: "go", place: PLACES.s });
  });

  it("forgets the g after a while, and on another key", () => {
    expect(meaning(press("s", 5_000), 100)).toEqual({ kind: "none" });
    expect(meaning(press("x", 500), 100)).toEqual({ kind: "none" });
  });

  it("leaves the keys of writers and of the browser alone", () => {
    expect(meaning(press("g", 0, { writing: true }), null)).toEqual({ kind: "none" });
    expect(meaning(press("?", 0, { modified: true }), null)).toEqual({ kind: "none" });
    expect(meaning(press("?"), null)).toEqual({ kind: "help" });
  });

  it("does not take names of every object for letters", () => {
    expect(meaning(press("toString", 200), 100)).toEqual({ kind: "none" });
  });
});

it("knows where one writes", () => {
  const box = document.createElement("input");
  expect(isWriting(box)).toBe(true);
  box.type = "checkbox";
  expect(isWriting(box)).toBe(false);
  expect(isWriting(document.createElement("textarea"))).toBe(true);
  expect(isWriting(document.createElement("button"))).toBe(false);
  expect(isWriting(null)).toBe(false);
});
