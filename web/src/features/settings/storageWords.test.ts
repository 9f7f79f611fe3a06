import { expect, test } from "vitest";

import { kindWords, typeWords } from "./storageWords";

test("kinds of places are said in words, unknown ones as they are", () => {
  expect(kindWords("database")).toBe("The database");
  expect(kindWords("tape")).toBe("tape");
});

test("kinds of files are said in words, the rest counted", () => {
  expect(typeWords(["image/*", "application/pdf"])).toBe("Pictures, PDF");
  expect(typeWords(["text/*", "application/x-a", "application/x-b"])).toBe("Text and 2 others");
  expect(typeWords(["application/x-a"])).toBe("application/x-a");
  expect(typeWords([])).toBe("Any");
});
