import { describe, expect, it } from "vitest";

import { fade, finished, heard, HOLD_MS, nextFade, sentence } from "./typing";

describe("typing", () => {
  it("fades by itself", () => {
    const state = heard(heard({}, "mara", 0), "tom", 1000);
    expect(nextFade(state)).toBe(HOLD_MS);
    expect(fade(state, HOLD_MS - 1)).toBe(state);
    expect(Object.keys(fade(state, HOLD_MS))).toEqual(["tom"]);
    expect(fade(state, HOLD_MS + 1000)).toEqual({});
    expect(nextFade({})).toBeNull();
  });
  it("holds on with each notice and ends with a message", () => {
    const state = heard(heard({}, "mara", 0), "mara", 2000);
    expect(fade(state, HOLD_MS + 1)).toBe(state);
    expect(finished(state, "mara")).toEqual({});
    expect(finished(state, "tom")).toBe(state);
  });
  it("is said in a short sentence", () => {
    expect(["", "Mara is typing", "Mara and Tom are typing", "Several people are typing"]).toEqual(
      [[], ["Mara"], ["Mara", "Tom"], ["Mara", "Tom", "Ann"]].map(sentence),
    );
  });
});
