import { describe, expect, it } from "vitest";

import { handleOf, matching, mentionAt, mentionsIn, step, withMention, type Mentionable } from "./mention";

const EVERYONE: Mentionable[] = [
  { id: "usr_1", kind: "user", name: "Mara Voss", handle: "mara-voss" },
  { id: "usr_2", kind: "user", name: "Zoë Amari", handle: "zoe-amari" },
  { id: "agt_1", kind: "agent", name: "Assistant", handle: "assistant" },
  { id: "agt_2", kind: "agent", name: "Margin analyst", handle: "margins" },
  { id: "usr_3", kind: "user", name: "李", handle: "" },
];

describe("mentionsIn", () => {
  it("finds handles in order, once, lower case", () => {
    expect(mentionsIn("Hi @Zoe-amari and @assistant, @ZOE-AMARI?")).toEqual(["zoe-amari", "assistant"]);
  });
  it("mentions nobody in code, addresses and paths", () => {
    expect(mentionsIn("`@a` a@b.example /@c .@d @@e ```\n@f\n``` ok")).toEqual([]);
  });
  it("leaves a trailing dash to the sentence", () => {
    expect(mentionsIn("@mara- and")).toEqual(["mara"]);
  });
});

describe("handleOf", () => {
  it.each([
    ["Mara Voss", "mara-voss"],
    ["Dr. Ánn's helper", "dr-ann-s-helper"],
    ["  Zoë  ", "zoe"],
    ["李", ""],
  ])("makes of %s the handle %s", (name, handle) => {
    expect(handleOf(name)).toBe(handle);
  });
  it("gives what the server reads back", () => {
    const handle = handleOf("Élodie d'Arc-9");
    expect(mentionsIn(`Ask @${handle}.`)).toEqual([handle]);
  });
});

describe("mentionAt", () => {
  it("sees what is being typed before the caret", () => {
    expect(mentionAt("Ask @ma about it", 7)).toEqual({ start: 4, end: 7, query: "ma" });
  });
  it("begins with the bare sign", () => {
    expect(mentionAt("@", 1)).toEqual({ start: 0, end: 1, query: "" });
  });
  it.each([
    ["mara@exa", 8],
    ["`@ma", 4],
    ["```\n@ma", 7],
    ["@ma ", 4],
    ["plain", 5],
  ])("sees none in %j", (text, caret) => {
    expect(mentionAt(text, caret)).toBeNull();
  });
  it("sees one behind code that is closed", () => {
    expect(mentionAt("`x` @ma", 7)?.query).toBe("ma");
  });
});

describe("matching", () => {
  it("puts a handle that begins with it first, agents before people", () => {
    expect(matching(EVERYONE, "mar").map((who) => who.id)).toEqual(["agt_2", "usr_1", "usr_2"]);
  });
  it("finds a later word of a name, and without accents", () => {
    expect(matching(EVERYONE, "ama").map((who) => who.id)).toEqual(["usr_2"]);
    expect(matching(EVERYONE, "zoë").map((who) => who.id)).toEqual(["usr_2"]);
  });
  it("leaves out who has no handle, and keeps to the limit", () => {
    expect(matching(EVERYONE, "")).toHaveLength(4);
    expect(matching(EVERYONE, "", 2)).toHaveLength(2);
  });
});

describe("withMention", () => {
  it("puts the handle in with a space behind, and the caret behind that", () => {
    expect(withMention("Ask @ma", { start: 4, end: 7, query: "ma" }, "mara-voss")).toEqual({
      text: "Ask @mara-voss ",
      caret: 15,
    });
  });
  it("does not double a space", () => {
    const made = withMention("Ask @ma about", { start: 4, end: 7, query: "ma" }, "mara-voss");
    expect(made.text).toBe("Ask @mara-voss about");
    expect(made.text.slice(made.caret)).toBe("about");
  });
});

describe("step", () => {
  it("goes round", () => {
    expect(step(2, 1, 3)).toBe(0);
    expect(step(0, -1, 3)).toBe(2);
    expect(step(0, 1, 0)).toBe(0);
  });
});
