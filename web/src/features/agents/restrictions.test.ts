import { expect, test } from "vitest";

import { actionsOf, newRow, restrictionsOf, restrictionWords, rowsOf } from "./restrictions";

const FREE = { blocked: false, allowed_actions: null, denied_actions: [], max_calls_per_interaction: null };

test("restrictions come back from their fields as they were", () => {
  const kept = {
    crm: { ...FREE, allowed_actions: ["read", "list"], max_calls_per_interaction: 3 },
    none: { ...FREE, allowed_actions: [] },
    send_mail: { ...FREE, blocked: true },
  };
  expect(restrictionsOf(rowsOf(kept))).toEqual(kept);
  expect(restrictionWords(kept)).toBe("Crm only read, list, at most 3 calls a turn; None only nothing; Send mail blocked");
});

test("a tool of which nothing is taken away is not named, and a new row blocks", () => {
  expect(restrictionsOf([{ ...newRow("crm"), blocked: false }])).toEqual({});
  expect(restrictionsOf([newRow("crm")])).toEqual({ crm: { ...FREE, blocked: true } });
  expect(restrictionWords({})).toBeNull();
});

test("actions are restricted only where a tool has them", () => {
  expect(actionsOf({ properties: { action: { enum: ["read", "write"] } } })).toEqual(["read", "write"]);
  expect(actionsOf({ properties: { action: { type: "string" } } })).toEqual([]);
  expect(actionsOf({ properties: { city: {} } })).toBeNull();
  expect(actionsOf(undefined)).toBeNull();
});
