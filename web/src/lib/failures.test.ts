import { expect, test } from "vitest";

import { failureOf } from "./failures";

test("a refused key leads to the settings first", () => {
  const failure = failureOf("model_refused", "The OpenAI key was refused (401). Check OPENAI_API_KEY.");
  expect(failure.detail).toContain("401");
  expect(failure.remedies[0]).toBe("models");
});

test("a model that is away leads to another try first", () => {
  expect(failureOf("model_unavailable", "The provider answered 503.").remedies[0]).toBe("retry");
});

test("a code nobody has words for is still said", () => {
  expect(failureOf("some_new_code", null)).toEqual({ title: "This turn failed", detail: "Some new code.", remedies: ["retry"] });
  expect(failureOf(null, null).detail).not.toBe("");
});
