import { describe, expect, it } from "vitest";

import { type Entry, matching, score } from "./palette";

const entry = (group: Entry["group"], label: string, words?: string): Entry => ({
  id: label,
  group,
  label,
  ...(words ? { words } : {}),
  mark: null,
  run: () => undefined,
});

describe("score", () => {
  it("ranks beginnings over words over places over letters", () => {
    const found = ["General", "in general", "ingeneral", "go even nearer"].map((text) => score(text, "gene"));
    expect(found).toEqual([4, 3, 2, 1]);
  });

  it("finds without accents and capitals, and says no", () => {
    expect(score("Équipe", "equ")).toBe(4);
    expect(score("General", "xyz")).toBeNull();
    expect(score("General", "g")).toBe(4);
    expect(score("thing", "g")).toBe(2);
  });
});

describe("matching", () => {
  const entries = [
    entry("Agents", "Assistant"),
    entry("Channels", "sales"),
    entry("Pages", "Settings", "profile password"),
    entry("Do", "New channel"),
  ];

  it("shows some of everything while nothing is asked", () => {
    expect(matching(entries, "").map(({ name }) => name)).toEqual(["Agents", "Channels", "Pages", "Do"]);
  });

  it("puts the group with the best answer first", () => {
    expect(matching(entries, "sal")[0]?.entries[0]?.label).toBe("sales");
    expect(matching(entries, "new c")[0]?.name).toBe("Do");
  });

  it("finds a page by what is on it, but not by nothing", () => {
    expect(matching(entries, "password")[0]?.entries[0]?.label).toBe("Settings");
    expect(matching(entries, "qqqq")).toEqual([]);
  });
});
