import { describe, expect, it } from "vitest";

import { askWords, byLayer, deciding, foundWords, deciders, spanWords, telling, type Panel, type Said } from "./verdicts";

const panel: Panel = { role: "admin", users: [], requester: false, quorum: 1, four_eyes: false };
const name = (id: string): string | undefined => ({ usr_1: "Ada", usr_2: "Ben" })[id];

function said(more: Partial<Said>): Said {
  return { layer: "account", rule: "No mail", verdict: "deny", reason: "tool_blocked", detail: "Not here.", ...more };
}

describe("what the rules said", () => {
  const own = said({ layer: "agent", rule: "agent", verdict: "allow", reason: null, detail: "" });

  it("leaves out that the agent's own settings have nothing against it", () => {
    expect(telling([own, said({})])).toEqual([said({})]);
  });

  it("keeps an allowing rule that did something", () => {
    const taken = said({ verdict: "allow", reason: "content_redacted" });
    expect(telling([own, taken])).toEqual([taken]);
  });

  it("stands under its layer, in the order in which layers are told", () => {
    const found = byLayer([said({}), said({ layer: "team" }), own]);
    expect(found.map((one) => one.layer)).toEqual(["agent", "role", "assignment", "user", "team", "account"]);
    expect(found.map((one) => one.said.length)).toEqual([0, 0, 0, 0, 1, 1]);
  });

  it("was decided by the first rule that is as strict as the whole", () => {
    const asks = said({ verdict: "ask", rule: "Ask first" });
    expect(deciding("deny", [own, asks, said({})])?.rule).toBe("No mail");
    expect(deciding("allow", [own])).toBeNull();
  });

  it("names what is taken out", () => {
    expect(foundWords(["email", "card"])).toBe("e-mail addresses and card numbers");
    expect(foundWords(["moon_dust"])).toBe("moon dust");
  });
});

describe("who decides", () => {
  it("is told of whoever the agent works for then", () => {
    expect(deciders(panel, name)).toBe("an admin");
    expect(deciders({ ...panel, users: ["usr_1"], requester: true }, name)).toBe("the person it works for, Ada or an admin");
    expect(deciders({ ...panel, quorum: 2, four_eyes: true }, name)).toBe("two admins other than the person it works for");
  });

  it("is told with how long they have and what happens then", () => {
    const ask = { panels: [panel], expires_seconds: 86_400, on_expiry: "reject" as const };
    expect(askWords(ask, name)).toBe("An admin decides within 1 day, else it is rejected.");
    const both = { panels: [panel, { ...panel, role: "owner" as const }], expires_seconds: 7200, on_expiry: "approve" as const };
    expect(askWords(both, name)).toBe("An admin, and an owner decide within 2 hours, else it goes ahead.");
  });

  it("has a span in whole units", () => {
    expect([spanWords(86_400 * 2), spanWords(3600), spanWords(90 * 60), spanWords(90)]).toEqual([
      "2 days", "1 hour", "90 minutes", "1 min 30 s",
    ]); // prettier-ignore
  });
});
