import { expect, test } from "vitest";

import { type Approval, because, byDue, folded, outcome, panelWords, progressWords, telling, visible, wanted, whoDecides } from "./approvals";

const panel = { role: "admin" as const, users: [], requester: false, quorum: 1, four_eyes: false };
const people = { me: "usr_me", name: (id: string) => ({ usr_me: "Me", usr_ada: "Ada", usr_ben: "Ben" })[id] };
const asker = { user_id: "usr_ada", user_name: "Ada" };

const approval: Approval = {
  id: "wait_1", state: "open", decision: null, interaction_id: "int_1", step_seq: 2, agent_id: "agt_1", agent_name: "Ledger",
  tool: "send_invoice", channel_id: "ch_1", channel_name: "Orders", ...asker, prompt: "Ledger wants to use Send invoice. May it?",
  arguments: { amount: 40 }, arguments_hash: "a", edited: false,
  ask: { panels: [panel], expires_seconds: 3600, on_expiry: "reject", grants: true }, missing: [{ panel, have: 0 }], unroutable: false,
  decisions: [], explanation: null, policy_revision: 1, due_at: "2026-03-12T12:00:00Z", created_at: "2026-03-12T10:00:00Z",
  resolved_at: null, may: { decide: true, withdraw: false, grant: true }, readable: true,
}; // prettier-ignore

test("a request says who wants what", () => {
  expect(wanted(approval)).toBe("Ledger wants to use Send invoice");
});

test("those who decide are named by role, by name, and without whom it is for", () => {
  expect(panelWords(panel, people, asker)).toBe("an admin");
  expect(panelWords({ ...panel, quorum: 2 }, people, asker)).toBe("two admins");
  expect(panelWords({ ...panel, role: "owner", four_eyes: true }, people, asker)).toBe("an owner other than Ada");
  expect(panelWords({ ...panel, role: null, users: ["usr_ben", "usr_me"] }, people, asker)).toBe("Ben or you");
  expect(panelWords({ ...panel, role: null, requester: true }, people, asker)).toBe("Ada");
  expect(panelWords({ ...panel, users: ["usr_ben"], quorum: 2 }, people, asker)).toBe("two of Ben or any admin");
  const ask = { ...approval.ask, panels: [panel, { ...panel, role: null, users: ["usr_ben"] }] };
  expect(whoDecides({ ...approval, ask }, people)).toBe("an admin and Ben");
});

test("a quorum counts those who approved these very arguments", () => {
  const two = { ...panel, quorum: 2 };
  const one = { user_id: "usr_ben", user_name: "Ben", decision: "approve" as const, reason: "", edited: false, decided_at: "" };
  const halfway: Approval = {
    ...approval, ask: { ...approval.ask, panels: [two] }, missing: [{ panel: two, have: 1 }],
    decisions: [{ ...one, arguments_hash: "old", user_id: "usr_ada", user_name: "Ada" }, { ...one, arguments_hash: "a" }],
  }; // prettier-ignore
  expect(progressWords(halfway, people)).toBe("1 of 2 approved: Ben");
  expect(progressWords(approval, people)).toBeNull();
  const owners = { ...panel, role: "owner" as const, users: ["usr_me"], quorum: 2 };
  const both = { ...halfway, ask: { ...approval.ask, panels: [two, owners] }, missing: [{ panel: owners, have: 1 }] };
  expect(progressWords(both, people)).toBe("two admins approved, two of you or any owner: 1 of 2 (Ben)");
});

test("a panel that is satisfied whenever another is, is not told", () => {
  const two = { ...panel, quorum: 2 };
  expect(telling([panel, two])).toEqual([two]);
  expect(telling([panel, { ...panel }])).toHaveLength(1);
  expect(telling([{ ...panel, four_eyes: true }, two])).toHaveLength(2);
  expect(telling([panel, { ...panel, role: "owner" }])).toEqual([{ ...panel, role: "owner" }]);
});

test("why it is asked names each rule once, and the agent's own settings need no name", () => {
  const opinion = { verdict: "ask" as const, reason: "approval_required", ask: null, redact: [] };
  const explanation = {
    verdict: "ask" as const, ask: null, redact: [],
    opinions: [
      { ...opinion, layer: "agent" as const, rule: "agent", verdict: "allow" as const, detail: "" },
      { ...opinion, layer: "agent" as const, rule: "requires_approval", detail: "It is asked about." },
      { ...opinion, layer: "account" as const, rule: "Payments", detail: "Payments are asked about." },
      { ...opinion, layer: "account" as const, rule: "Payments", detail: "Payments are asked about." },
    ],
  }; // prettier-ignore
  expect(because(explanation)).toEqual([
    { detail: "It is asked about.", rule: null },
    { detail: "Payments are asked about.", rule: "Account policy “Payments”" },
  ]);
});

test("what came of it says who, and what nobody did", () => {
  const ben = { user_id: "usr_ben", user_name: "Ben", arguments_hash: "a", reason: "", edited: false, decided_at: "" };
  const done = { ...approval, state: "resolved" as const };
  expect(outcome(approval, people)).toBeNull();
  const approved = { ...done, decision: "approve" as const, decisions: [{ ...ben, decision: "approve" as const }] };
  expect(outcome(approved, people)).toBe("Ben approved this.");
  expect(outcome({ ...approved, edited: true }, { ...people, me: "usr_ben" })).toBe("You approved this, with changes.");
  expect(outcome({ ...done, state: "expired", decision: "expired" }, people)).toBe("Nobody decided in time, so it was not done.");
  expect(outcome({ ...done, state: "cancelled" }, people)).toBe("The turn ended before anybody decided.");
});

test("what is due first comes first, and what never is due last", () => {
  const at = (due_at: string | null) => ({ due_at, created_at: "2026-03-12T10:00:00Z" });
  const list = [at(null), at("2026-03-13T00:00:00Z"), at("2026-03-12T00:00:00Z")];
  expect(byDue(list).map((one) => one.due_at)).toEqual(["2026-03-12T00:00:00Z", "2026-03-13T00:00:00Z", null]);
});

test("what cannot be seen in an argument is spelt out, and emoji are left whole", () => {
  expect(visible("pay\u202eadA")).toBe("pay⟨U+202E⟩adA");
  expect(visible("a\u200bb\u00ad")).toBe("a⟨U+200B⟩b⟨U+00AD⟩");
  expect(visible("two\nlines\tand 👩‍🚀 ❤️")).toBe("two\nlines\tand 👩‍🚀 ❤️");
});

test("a long text is folded and says how long it is", () => {
  expect(folded("short")).toBeNull();
  expect(folded("x".repeat(400))?.rest).toBe("400 characters");
  expect(folded("a\n".repeat(20))?.start.split("\n")).toHaveLength(8);
});
