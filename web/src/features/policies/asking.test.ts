import { describe, expect, it } from "vitest";

import { fromSearch, hypothesisOf, sentence, toSearch } from "./asking";

describe("a call that is asked about", () => {
  const search = { agent: "agt_1", tool: "send_email", user: "usr_1", channel: "ch_1", at: "2026-03-02T10:00:00.000Z", args: '{"to":"a@b.c"}' };

  it("goes from the address into the fields and back", () => {
    expect(toSearch(fromSearch(search))).toEqual(search);
    expect(toSearch(fromSearch({ agent: "agt_1", model: "openai/gpt" }))).toEqual({ agent: "agt_1", model: "openai/gpt" });
    expect(fromSearch({ args: "not json", at: "never" })).toMatchObject({ args: {}, at: "" });
  });

  it("is asked for another person by admins only", () => {
    const plain = { agent_id: "agt_1", tool: "send_email", arguments: { to: "a@b.c" }, channel_id: "ch_1", at: search.at };
    expect(hypothesisOf(search, true)).toEqual({ ...plain, user_id: "usr_1" });
    expect(hypothesisOf({ ...search, user: "nobody" }, true)).toEqual({ ...plain, user_id: null });
    expect(hypothesisOf(search, false)).toEqual(plain);
  });

  it("is not asked before there is an agent and what it would use", () => {
    expect(hypothesisOf({ agent: "agt_1" }, true)).toBeNull();
    expect(hypothesisOf({ tool: "send_email" }, true)).toBeNull();
  });

  it("is answered in one sentence", () => {
    expect(sentence({ verdict: "allow", tool: "send_email" }, search, "Ledger")).toBe("Ledger may use Send email.");
    expect(sentence({ verdict: "ask", tool: null }, search, "Ledger")).toBe("A person decides before Ledger uses Send email.");
    expect(sentence({ verdict: "deny", tool: null }, { model: "openai/gpt-4o" }, "Ledger")).toBe("Ledger may not use gpt-4o.");
  });
});
