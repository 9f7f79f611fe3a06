import { expect, test } from "vitest";

import { eventOptions, eventWords, GROUPS } from "./events";

test("an event is called by words, an unknown one is spelt out", () => {
  expect(eventWords("agent.update")).toBe("Agent changed");
  expect(eventWords("agent_turn")).toBe("Turn ended");
  expect(eventWords("step.")).toBe("Any step");
  expect(eventWords("moon.rise")).toBe("Moon rise");
});

test("each choice stands once, and no two read the same", () => {
  const options = eventOptions();
  expect(new Set(options.map(({ value }) => value)).size).toBe(options.length);
  expect(new Set(options.map(({ label }) => label)).size).toBe(options.length);
  expect(new Set(options.map(({ group }) => group)).size).toBe(GROUPS.length);
});
