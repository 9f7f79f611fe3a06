import { beforeEach, describe, expect, it } from "vitest";

import { draftKey, EMPTY, KEPT, loadDraft, saveDraft } from "./draft";

const FILE = { id: "file_1", name: "a.png", media_type: "image/png", bytes: 10 };

describe("drafts", () => {
  beforeEach(() => localStorage.clear());

  it("come back with their files", () => {
    const key = draftKey("usr_1", "ch_1");
    saveDraft(key, { text: "half a thou", files: [FILE] });
    expect(loadDraft(key)).toEqual({ text: "half a thou", files: [FILE] });
  });
  it("are kept apart by person, channel and thread", () => {
    const keys = [draftKey("u", "c"), draftKey("u2", "c"), draftKey("u", "c2"), draftKey("u", "c", "m")];
    expect(new Set(keys).size).toBe(4);
  });
  it("are forgotten when nothing is left", () => {
    const key = draftKey("usr_1", "ch_1");
    saveDraft(key, { text: "x", files: [] });
    saveDraft(key, { text: "  \n", files: [] });
    expect(localStorage.length).toBe(0);
    expect(loadDraft(key)).toBe(EMPTY);
  });
  it("are empty where the store holds something else", () => {
    const key = draftKey("usr_1", "ch_1");
    for (const wrong of ["{", "null", "[]", '{"text":1}', '"x"']) {
      localStorage.setItem(key, wrong);
      expect(loadDraft(key)).toBe(EMPTY);
    }
    localStorage.setItem(key, '{"text":"t","files":[{"id":1},null]}');
    expect(loadDraft(key)).toEqual({ text: "t", files: [] });
  });
  it("go, oldest first, when there are many; nothing else is touched", () => {
    localStorage.setItem("other", "stays");
    for (let index = 0; index <= KEPT; index += 1) {
      saveDraft(draftKey("u", `c${index}`), { text: "t", files: [] }, localStorage, index);
    }
    expect(loadDraft(draftKey("u", "c0"))).toBe(EMPTY);
    expect(loadDraft(draftKey("u", "c1")).text).toBe("t");
    expect(localStorage.getItem("other")).toBe("stays");
    expect(localStorage.length).toBe(KEPT + 1);
  });
  it("survive a store that refuses", () => {
    const broken = { setItem: () => { throw new Error("full"); }, getItem: () => { throw new Error("no"); } };
    saveDraft("k", { text: "t", files: [] }, broken as unknown as Storage);
    expect(loadDraft("k", broken as unknown as Storage)).toBe(EMPTY);
  });
});
