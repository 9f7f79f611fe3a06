import { expect, test } from "vitest";

import { dateOf, grantOf, OFF } from "./standing";

const NOW = Date.parse("2026-03-12T10:00:00Z");
const call = { channel_id: "ch_1", user_id: "usr_1" };

test("an approval is for one call unless somebody says otherwise", () => {
  expect(grantOf(OFF, call, NOW)).toBeNull();
});

test("it ends in so many days, and is for this place and person unless they are unticked", () => {
  expect(grantOf({ ...OFF, on: true }, call, NOW)).toEqual({
    until: "2026-03-19T10:00:00.000Z", channel: true, person: true, exact: false,
  }); // prettier-ignore
  expect(grantOf({ ...OFF, on: true, person: false }, { ...call, channel_id: null }, NOW)).toMatchObject({ channel: false, person: false });
});

test("a date counts to its end, and an empty one is over at once, which is refused", () => {
  const at = (date: string) => grantOf({ ...OFF, on: true, end: "date", date }, call, NOW)?.until ?? "";
  expect(Date.parse(at("2026-03-13"))).toBe(new Date("2026-03-13T23:59:59").getTime());
  expect(at("")).toBe(new Date(NOW).toISOString());
  expect(dateOf(1, NOW)).toBe("2026-03-13");
});
