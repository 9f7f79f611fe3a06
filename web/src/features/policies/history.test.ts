import { expect, it } from "vitest";

import type { PolicyVersion } from "@/api/policies";

import { changes, pathWords, valueWords } from "./history";

function version(more: Partial<PolicyVersion>): PolicyVersion {
  return {
    policy_id: "pol_1", version: 1, deleted: false, name: "No mail", type: "tool_restriction", enabled: true, priority: 100,
    rule: { type: "tool_restriction", scope: { agents: [] }, never: ["send_email"] }, changed_by: null, changed_at: "2026-01-01T00:00:00Z", ...more,
  }; // prettier-ignore
}

it("names what differs, by path, and nothing else", () => {
  const after = version({ enabled: false, rule: { type: "tool_restriction", scope: { agents: ["agt_1"] }, never: ["send_email"], only: [] } });
  expect(changes(version({}), after)).toEqual([
    { path: "enabled", before: true, after: false },
    { path: "rule.scope.agents", before: [], after: ["agt_1"] },
    { path: "rule.only", before: undefined, after: [] },
  ]);
  expect(changes(after, after)).toEqual([]);
});

it("is told in words", () => {
  const name = (id: string): string | undefined => (id === "agt_1" ? "Ledger" : undefined);
  expect([pathWords("rule.scope.agents"), pathWords("rule.warn_at")]).toEqual(["Agents", "Warn at"]);
  expect(valueWords("rule.scope.agents", ["agt_1", "agt_2"], name)).toBe("Ledger\nagt_2");
  expect(valueWords("rule.limit_micro", 1_500_000, name)).toBe("$1.5");
  expect([valueWords("enabled", false, name), valueWords("rule.only", null, name), valueWords("x", [], name)]).toEqual(["No", "Nothing", "None"]);
});
