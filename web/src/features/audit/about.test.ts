import { describe, expect, it } from "vitest";

import type { AuditLine } from "@/api/audit";

import { actorOf, notesOf, thingsOf, type Names } from "./about";

const known = (id: string): string | undefined => ({ agt_1: "Ledger", usr_1: "Ada", ch_1: "Orders", team_1: "Sales" })[id];
const NAMES: Names = { agent: known, channel: known, person: known, team: known };

function line(given: Partial<AuditLine>): AuditLine {
  const whole = { id: "aud_1", event: "x.y", actor_type: "user", actor_id: "usr_1", at: "2026-01-05T10:20:30Z" } as const;
  return { ...whole, interaction_id: null, step_seq: null, detail: {}, ...given };
}

function labels(given: Partial<AuditLine>): string[] {
  return thingsOf(line(given), NAMES).map(({ label }) => label);
}

describe("a line", () => {
  it("says who did it", () => {
    expect(actorOf(line({}), NAMES)).toBe("Ada");
    expect(actorOf(line({ actor_id: "usr_9" }), NAMES)).toBe("Someone who is gone");
    expect(actorOf(line({ actor_type: "agent", actor_id: "agt_1" }), NAMES)).toBe("Ledger");
    expect(actorOf(line({ actor_type: "system", actor_id: "retinue" }), NAMES)).toBe("Retinue");
    expect(actorOf(line({ actor_type: "external", actor_id: "billing" }), NAMES)).toBe("billing");
  });

  it("names what it is about, not who did it again", () => {
    expect(labels({ event: "agent.update", detail: { agent_id: "agt_1" } })).toEqual(["Ledger"]);
    expect(labels({ actor_type: "agent", actor_id: "agt_1", detail: { agent_id: "agt_1" } })).toEqual([]);
    expect(labels({ detail: { user_id: "usr_1" } })).toEqual([]);
    expect(labels({ detail: { team_id: "team_1", user_id: "usr_2" } })).toEqual(["someone who is gone", "Sales"]);
    expect(labels({ event: "agent.delete", detail: { agent_id: "agt_9", slug: "old" } })).toEqual(["old"]);
  });

  it("leads to the message and to the step of the turn", () => {
    const given = { detail: { channel_id: "ch_1", message_id: "msg_1", tool: "send" }, interaction_id: "int_1", step_seq: 3 };
    expect(thingsOf(line(given), NAMES)).toEqual([
      { kind: "code", label: "send" },
      { kind: "channel", id: "ch_1", message: "msg_1", label: "a message in Orders" },
      { kind: "turn", id: "int_1", step: 3, label: "step 3 of a turn" },
    ]);
  });

  it("says in a few words how it went", () => {
    expect(notesOf(line({ detail: { state: "succeeded", config_hash: "abc" } }))).toBe("done");
    expect(notesOf(line({ detail: { ok: false, error: "timed_out" } }))).toBe("failed, timed out");
    expect(notesOf(line({ detail: { fields: ["name", "system_prompt"] } }))).toBe("name and system prompt");
    expect(notesOf(line({ event: "audit.verify", detail: { seals: 3, lines: 1204, faults: 0 } }))).toBe("1,204 lines, whole");
    expect(notesOf(line({ event: "session.start", detail: { method: "link" } }))).toBe("by link");
    expect(notesOf(line({ detail: { model: "anthropic/claude-sonnet-4-5-20250929" } }))).toBe("claude-sonnet-4-5");
    expect(notesOf(line({}))).toBe("");
  });
});
