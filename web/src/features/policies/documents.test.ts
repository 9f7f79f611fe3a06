import { describe, expect, it } from "vitest";

import { fromText, slugsOf, toText } from "./documents";

const slugs = slugsOf([{ id: "agt_1", slug: "ledger" }], [{ id: "ch_1", slug: "general" }, { id: "ch_2", slug: null }], [{ id: "usr_1", email: "ada@example.org" }]);
const scope = { agents: ["agt_1", "agt_9"], channels: ["ch_1", "ch_2"], tools: [], effects: [] };
const panel = { role: null, users: ["usr_1"], requester: false, quorum: 1, four_eyes: false };
const content = {
  name: "Ask before mail", enabled: true, priority: 100,
  rule: { type: "approval", scope, categories: ["external_email"], where: [], cost_above_micro: null, ask: { panels: [panel], expires_seconds: 60 } },
}; // prettier-ignore

describe("a policy as text", () => {
  it.each(["yaml", "json"] as const)("comes back from %s with the same ids", (format) => {
    const read = fromText(toText(content, slugs, format), slugs);
    const narrowed = { agents: scope.agents, channels: scope.channels };
    expect(read).toEqual({ ok: true, content: { ...content, rule: { ...content.rule, scope: narrowed } } });
  });

  it("names agents, channels and people as a file in git does", () => {
    const text = toText(content, slugs, "yaml");
    expect(text).toContain("- ledger");
    expect(text).toContain("- agt_9");
    expect(text).toContain("ada@example.org");
    expect(text.indexOf("type: approval")).toBeLessThan(text.indexOf("scope:"));
  });

  it("takes what the command line prints, with its layer and the type beside the rule", () => {
    const text = "name: No mail\nlayer: account\ntype: tool_restriction\nrule:\n  never: [send_email]\n";
    expect(fromText(text, slugs)).toEqual({
      ok: true,
      content: { name: "No mail", enabled: true, priority: 100, rule: { type: "tool_restriction", never: ["send_email"] } },
    });
  });

  it.each([
    ["name: [", null],
    ["- a", "beginning with name"],
    ["name: x\nrule: 3", "Write a rule"],
    ["name: x\nrules: {}", "no field rules"],
    ["name: x\nrule: {only: []}", "no type"],
    ["name: ''\nrule: {type: y}", "a name"],
  ])("says what is wrong with %j", (text, words) => {
    const read = fromText(text, slugs);
    if (read.ok) throw new Error("it was read");
    if (words) expect(read.wrong.words).toContain(words);
    else expect(read.wrong.line).toBeGreaterThan(0);
  });
});
