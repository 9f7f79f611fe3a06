import { expect, test } from "vitest";

import { argumentsOf, fieldsOf, parseArguments, placed, valuesOf } from "./argumentForm";

const SCHEMA = {
  type: "object",
  required: ["to", "amount"],
  properties: {
    to: { type: "string", description: "to whom" },
    amount: { type: "integer" },
    urgent: { type: "boolean" },
    note: { anyOf: [{ type: "string" }, { type: "null" }] },
    currency: { enum: ["EUR", "USD"] },
    copies: { type: "array", items: { type: "string" } },
    more: { type: "object" },
    rate: { type: ["number", "null"] },
  },
};
const GIVEN = { to: "ada@example.com", amount: 40, copies: ["a", "b"], more: { x: 1 }, extra: 7 };
const fields = fieldsOf(SCHEMA, GIVEN);

test("every property has its field, and so has an argument that the schema does not name", () => {
  const kinds = Object.fromEntries(fields.map((field) => [field.name, field.kind]));
  expect(kinds).toEqual({
    to: "line", amount: "number", urgent: "yes_no", note: "line", currency: "choice", copies: "lines", more: "json", rate: "number",
    extra: "json",
  }); // prettier-ignore
  expect(fields[0]).toMatchObject({ label: "To", help: "to whom", required: true });
});

test("what nobody touched comes back exactly as it was", () => {
  const read = argumentsOf(fields, valuesOf(fields, GIVEN), GIVEN);
  expect(read).toEqual({ arguments: GIVEN, errors: {} });
});

test("what was changed is read as its type", () => {
  const values = { ...valuesOf(fields, GIVEN), amount: "20", urgent: true, copies: "a\n\nc ", more: '{"y": 2}', rate: "1.5", currency: "EUR" };
  expect(argumentsOf(fields, values, GIVEN).arguments).toMatchObject({
    amount: 20, urgent: true, copies: ["a", "c"], more: { y: 2 }, rate: 1.5, currency: "EUR", to: "ada@example.com",
  }); // prettier-ignore
});

test("what cannot be read is said at its field", () => {
  const values = { ...valuesOf(fields, GIVEN), amount: "1.5", more: "{", rate: "much" };
  expect(argumentsOf(fields, values, GIVEN).errors).toEqual({ amount: "Use a whole number.", more: "This is not JSON.", rate: "Use a number." });
  expect(argumentsOf(fields, { ...values, amount: "" }, GIVEN).errors["amount"]).toBe("This is needed.");
  expect(argumentsOf(fields, valuesOf(fields, {}), {}).errors).toEqual({ to: "This is needed.", amount: "This is needed." });
});

test("a value that its field could not hold is edited as JSON", () => {
  expect(fieldsOf(SCHEMA, { amount: "forty", copies: ["two\nlines"] }).map(({ kind }) => kind).slice(1, 6)).toEqual([
    "json", "yes_no", "line", "choice", "json",
  ]); // prettier-ignore
});

test("a text that is long gets room, and an emptied one is empty", () => {
  const long = fieldsOf(SCHEMA, { to: "x".repeat(200) });
  expect(long[0]?.kind).toBe("text");
  expect(argumentsOf(fields, { ...valuesOf(fields, GIVEN), to: "" }, GIVEN).arguments["to"]).toBe("");
});

test("only an object is a set of arguments", () => {
  expect(parseArguments('{"a": 1}')).toEqual({ a: 1 });
  expect(parseArguments("[1]")).toBeNull();
  expect(parseArguments("{")).toBeNull();
});

test("the server's reasons stand at their fields", () => {
  expect(placed({ "arguments.amount": "Too much", "arguments.more.x": "No", "arguments": "Fits not", "grant.until": "Late" }, fields)).toEqual({
    amount: "Too much", more: "x: No", "": "Fits not",
  }); // prettier-ignore
});
