import { describe, expect, it } from "vitest";

import { emojiName, toggled, whoReacted, type Reacted } from "./reactions";

const heart: Reacted = { emoji: "❤️", count: 2, mine: true, user_ids: ["me", "mara"] };

describe("toggled", () => {
  it("adds a reaction at the end, or joins those who gave it", () => {
    expect(toggled([heart], "👍", "me")[1]).toEqual({ emoji: "👍", count: 1, mine: true, user_ids: ["me"] });
    const theirs = { ...heart, mine: false, count: 1, user_ids: ["mara"] };
    expect(toggled([theirs], "❤️", "me")).toEqual([{ ...heart, user_ids: ["mara", "me"] }]);
  });
  it("takes one's own away, and the whole when nobody is left", () => {
    expect(toggled([heart], "❤️", "me")).toEqual([{ ...heart, mine: false, count: 1, user_ids: ["mara"] }]);
    expect(toggled([{ ...heart, count: 1, user_ids: ["me"] }], "❤️", "me")).toEqual([]);
  });
  it("is undone by doing it again", () => {
    expect(toggled(toggled([], "👀", "me"), "👀", "me")).toEqual([]);
  });
});

describe("whoReacted", () => {
  const names: Record<string, string> = { mara: "Mara", tom: "Tom" };
  const nameOf = (id: string) => names[id];
  it("names people, oneself first, and counts the rest", () => {
    const reaction = { emoji: "❤️", count: 5, mine: true, user_ids: ["tom", "mara", "gone"] };
    expect(whoReacted(reaction, nameOf)).toBe("You, Tom, Mara and 2 others reacted with heart");
    expect(whoReacted({ ...reaction, count: 1, mine: false, user_ids: ["tom"] }, nameOf)).toBe(
      "Tom reacted with heart",
    );
    expect(whoReacted({ ...reaction, count: 1, mine: false, user_ids: [] }, nameOf)).toBe("1 other reacted with heart");
  });
});

it("calls an unknown reaction by itself", () => expect(emojiName("🦜")).toBe("🦜"));
