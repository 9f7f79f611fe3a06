import { expect, test } from "vitest";

import { givable, isAdmin, isLastOwner, mayManage } from "./roles";

test("admins manage up to admins, only owners touch owners, nobody else anyone", () => {
  expect(mayManage("admin", "admin")).toBe(true);
  expect(mayManage("admin", "owner")).toBe(false);
  expect(mayManage("owner", "owner")).toBe(true);
  expect(mayManage("lead", "member")).toBe(false);
  expect(givable("admin")).toEqual(["member", "lead", "admin"]);
  expect(givable("member")).toEqual([]);
});

test("an admin's rights take the role and the scope", () => {
  expect(isAdmin({ role: "admin", scopes: ["read", "write", "admin"] })).toBe(true);
  expect(isAdmin({ role: "owner", scopes: ["read"] })).toBe(false);
  expect(isAdmin({ role: "lead", scopes: ["admin"] })).toBe(false);
  expect(isAdmin(null)).toBe(false);
});

test("the last owner is the only active one", () => {
  const people = [
    { id: "a", role: "owner" as const, status: "active" },
    { id: "b", role: "owner" as const, status: "suspended" },
    { id: "c", role: "admin" as const, status: "active" },
  ];
  expect(isLastOwner(people, "a")).toBe(true);
  expect(isLastOwner(people, "b")).toBe(false);
  expect(isLastOwner([...people, { id: "d", role: "owner", status: "active" }], "a")).toBe(false);
});
