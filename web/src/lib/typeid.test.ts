import { expect, test } from "vitest";

import { madeAt } from "./typeid";

test("an id tells when it was made", () => {
  // the UUIDv7 of RFC 9562: 017f22e2-79b0-7cc3-98c4-dc0c0c07398f, made at 2022-02-22T19:22:22Z
  expect(madeAt("aud_01fwhe4ydgfk1shh6w1g60eecf")).toBe(Date.parse("2022-02-22T19:22:22Z"));
});

test("what is no id tells nothing", () => {
  expect(madeAt("retinue")).toBeNull();
  expect(madeAt("aud_01fwhe4yd!fk1shh6w1g60eecf")).toBeNull();
  expect(madeAt("aud_z1fwhe4ydgfk1shh6w1g60eecf")).toBeNull();
});
