import { expect, test } from "vitest";

import type { MyConfig } from "@/api/myConfig";

import { changeOf, check, newRow, placed, valuesOf } from "./ownWishes";

const CONFIG: MyConfig = {
  agent_id: "agt_1",
  preferences: { "preferred name": "Ann", cups: 2, remote: true },
  overrides: { locale: "de", time_zone: null, reply_length: "short", style: "No lists." },
  credentials: [],
  updated_at: null,
};

test("what is set comes back as it was, numbers too", () => {
  expect(changeOf(valuesOf(CONFIG))).toEqual({ preferences: CONFIG.preferences, overrides: CONFIG.overrides });
});

test("what is rewritten is a text, what is emptied is gone", () => {
  const values = valuesOf(CONFIG);
  values.rows = values.rows.map((row) => (row.name === "cups" ? { ...row, value: " three " } : row)).slice(0, 2);
  const change = changeOf({ ...values, rows: [...values.rows, newRow()], style: "  ", locale: null });
  expect(change.preferences).toEqual({ "preferred name": "Ann", cups: "three" });
  expect(change.overrides).toEqual({ locale: null, time_zone: null, reply_length: "short", style: null });
});

test("half a row is a mistake, an empty one is not", () => {
  const rows = [
    { ...newRow(), name: "a", value: "1" },
    newRow(),
    { ...newRow(), name: " a ", value: "2" },
    { ...newRow(), value: "3" },
    { ...newRow(), name: "b" },
  ];
  expect(Object.keys(check({ ...valuesOf(CONFIG), rows }))).toEqual(["rows.2.name", "rows.3.name", "rows.4.value"]);
  expect(check(valuesOf(CONFIG))).toEqual({});
});

test("every new row has a key of its own", () => {
  expect(newRow().key).not.toBe(newRow().key);
});

test("the server's reasons go to their fields", () => {
  const values = { ...valuesOf(CONFIG), rows: [{ ...newRow(), name: "v1.key", value: "x" }] };
  const reasons = { "preferences.v1.key.[key]": "A", "overrides.style": "B" };
  expect(placed(reasons, values)).toEqual({ "rows.0.name": "A", style: "B" });
  expect(placed({ "preferences.v1.key": "A" }, values)).toEqual({ "rows.0.value": "A" });
  expect(placed({ preferences: "Too much" }, values)).toBeNull();
  expect(placed({ "preferences.other": "A" }, values)).toBeNull();
  expect(placed({}, values)).toBeNull();
});
