import { describe, expect, it } from "vitest";

import {
  attachmentsReducer, fromDraft, isPicture, isUploading, readyFiles, sift, size, type Attachment,
} from "./attachments";

const FILE = { id: "file_1", name: "a.png", media_type: "image/png", bytes: 10 };
const fresh = (key: string): Attachment => ({
  ...fromDraft(FILE), key, state: "uploading", progress: 0, file: null,
});

describe("attachments", () => {
  it("go from uploading to ready, and only then count", () => {
    let state = attachmentsReducer([], { do: "add", items: [fresh("1"), fresh("2")] });
    expect(isUploading(state)).toBe(true);
    state = attachmentsReducer(state, { do: "progress", key: "1", progress: 0.5 });
    state = attachmentsReducer(state, { do: "progress", key: "1", progress: 0.2 });
    expect(state[0]?.progress).toBe(0.5);
    state = attachmentsReducer(state, { do: "ready", key: "1", file: FILE });
    expect(readyFiles(state)).toEqual([FILE]);
    state = attachmentsReducer(state, { do: "failed", key: "2", error: "No." });
    expect(isUploading(state)).toBe(false);
    expect(attachmentsReducer(state, { do: "again", key: "2" })[1]).toMatchObject({ state: "uploading", error: null });
    expect(attachmentsReducer(state, { do: "remove", key: "2" })).toHaveLength(1);
    expect(attachmentsReducer(state, { do: "clear" })).toEqual([]);
  });
  it("that came too late for a removed one change nothing", () => {
    expect(attachmentsReducer([], { do: "ready", key: "gone", file: FILE })).toEqual([]);
  });
});

describe("sift", () => {
  const limits = { maxBytes: 1024 * 1024, maxFiles: 2, types: ["image/*", "text/plain"] };
  it("says kindly why a file cannot go", () => {
    const { taken, refused } = sift(
      [{ name: "big.mov", size: 5 * 1024 * 1024 }, { name: "nil", size: 0 }, { name: "ok.txt", size: 3 }], 0, limits);
    expect(taken.map((file) => file.name)).toEqual(["ok.txt"]);
    expect(refused).toEqual(["big.mov has 5 MB; a file may have up to 1 MB.", "nil is empty."]);
  });
  it("leaves types to the server that it does not know, and refuses those that are not taken", () => {
    const files = [
      { name: "a.exe", size: 1, type: "application/x-msdownload" },
      { name: "b", size: 1, type: "" },
      { name: "c.png", size: 1, type: "image/png" },
    ];
    const { taken, refused } = sift(files, 0, limits);
    expect(taken.map((file) => file.name)).toEqual(["b", "c.png"]);
    expect(refused).toEqual(["a.exe: files of the type application/x-msdownload aren't taken here."]);
  });
  it("takes what there is room for", () => {
    const files = ["a", "b", "c"].map((name) => ({ name, size: 1 }));
    expect(sift(files, 1, limits)).toEqual({
      taken: [files[0]], refused: ["A message holds 2 files. Send the others in another one."],
    });
  });
});

describe("size", () => {
  it.each([[0, "0 bytes"], [1023, "1023 bytes"], [1024, "1 KB"], [1536, "1.5 KB"], [26_214_400, "25 MB"]])(
    "says %d as %s", (bytes, text) => expect(size(bytes)).toBe(text));
});

it("shows safe pictures only", () => {
  expect(isPicture("image/png")).toBe(true);
  expect(isPicture("image/svg+xml")).toBe(false);
});
