import { expect, test } from "vitest";

import type { WorkerRole } from "@/api/roles";

import { boundsWords, check, newRule, serverErrors, toRole, valuesOf } from "./roleForm";

const ROLE: WorkerRole = {
  id: "role_1", name: "Clerk", description: "", autonomy_tier: "bounded_autonomous", agents: [], created_at: "", updated_at: "",
  scope: { tools_allow: [], tools_deny: ["send_*"], data_access: null, write_access: ["crm"], environment_access: ["platform"] },
  authority_bounds: {
    max_spend_micro: 1_500_000, max_seconds: 90, max_concurrent_steps: null, escalation_threshold_micro: null, escalation_confidence: 0.8,
    approvers: { role: null, users: ["usr_1"], requester: true, quorum: 2, four_eyes: false },
  },
  escalation_rules: [
    {
      action: "deny",
      condition: {
        tools: ["pay"], categories: [], effects: ["write"], where: [{ argument: "amount", is: "above", value: 5 }], spent_above_micro: null,
        seconds_above: 3, calls_above: null,
      },
    },
  ],
}; // prettier-ignore

test("a role that nobody touched is saved as it was, with what the form does not show", () => {
  expect(check(valuesOf(ROLE))).toEqual({});
  expect(ROLE).toMatchObject(toRole(valuesOf(ROLE), ROLE));
});

test("no tools at all is not the same as any tool", () => {
  expect(valuesOf(ROLE).allow).toEqual({ on: true, list: [] });
  expect(toRole(valuesOf(null), null).scope?.tools_allow).toBeNull();
});

test("what cannot be saved is said at its field", () => {
  const values = { ...valuesOf(null), spend: "much", deny: ["send mail"], approver: "nobody" as const, rules: [newRule()] };
  expect(Object.keys(check(values))).toEqual(["name", "deny", "spend", "users", "rules.0"]);
});

test("the server's reasons stand at their fields", () => {
  expect(serverErrors({ "scope.tools_deny.0": "No", "escalation_rules.1.condition": "Say when", "other": "Hm" })).toEqual({
    deny: "No", "rules.1": "Say when", "": "Hm",
  }); // prettier-ignore
});

test("what a role takes away is said in a line", () => {
  expect(boundsWords(ROLE)).toBe("no tools, not send_*, at most $1.50 a turn, at most 2 minutes a turn, 1 rule");
  expect(boundsWords({ ...ROLE, ...{ scope: { ...ROLE.scope, tools_allow: null, tools_deny: [] }, escalation_rules: [] } })).toContain("at most $1.50");
});
