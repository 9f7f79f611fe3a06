import { expect, test } from "vitest";

import { expectedAgents } from "./expected";

const MEMBERS = [
  { agent_id: "a", slug: "assistant", trigger_mode: "proactive" },
  { agent_id: "b", slug: "bo-ok", trigger_mode: "mention" },
  { agent_id: "c", slug: "quiet", trigger_mode: "silent" },
  { agent_id: null, slug: "ada", trigger_mode: null },
];

function sent(content: string, more: object = {}) {
  return { content, error: null, ...more };
}

test.each([
  ["hello", ["a"]],
  ["hello @bo-ok!", ["a", "b"]],
  ["hello @Bo-Ok, @quiet", ["a", "b"]],
  ["mail me@bo-ok.org", ["a"]],
])("%s is answered by %j", (content, wanted) => {
  expect(expectedAgents([sent(content)], MEMBERS)).toEqual(wanted);
});

test("nobody answers what failed or belongs to a thread", () => {
  expect(expectedAgents([sent("x", { error: {} }), sent("y", { replyTo: "m" })], MEMBERS)).toEqual([]);
  expect(expectedAgents([], MEMBERS)).toEqual([]);
});

test("whoever is addressed answers", () => {
  expect(expectedAgents([sent("x", { to: ["c"] })], MEMBERS)).toEqual(["a", "c"]);
});
