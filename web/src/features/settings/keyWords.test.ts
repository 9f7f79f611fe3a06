import { expect, test } from "vitest";

import type { ApiKey } from "@/api/keysAdmin";

import { curlExample, endOf, sortKeys, stateOfKey } from "./keyWords";

const NOW = Date.parse("2026-03-12T00:00:00Z");
const key = (id: string, more: Partial<ApiKey> = {}) =>
  ({ id, revoked_at: null, expires_at: null, created_at: "2026-03-01T00:00:00Z", ...more }) as ApiKey;

test("a key ends after its days, or never", () => {
  expect(endOf("30", NOW)).toBe("2026-04-11T00:00:00.000Z");
  expect(endOf("never", NOW)).toBeNull();
});

test("revoked comes before expired, and an end is the first moment that does not count", () => {
  expect(stateOfKey(key("a"), NOW)).toBe("active");
  expect(stateOfKey(key("a", { expires_at: "2026-03-12T00:00:00Z" }), NOW)).toBe("expired");
  expect(stateOfKey(key("a", { expires_at: "2026-03-01T00:00:00Z", revoked_at: "2026-02-01T00:00:00Z" }), NOW)).toBe("revoked");
});

test("keys that work come first, the newest of them at the top", () => {
  const keys = [
    key("old"),
    key("gone", { revoked_at: "2026-03-02T00:00:00Z", created_at: "2026-03-11T00:00:00Z" }),
    key("new", { created_at: "2026-03-10T00:00:00Z" }),
  ];
  expect(sortKeys(keys, NOW).map((each) => each.id)).toEqual(["new", "old", "gone"]);
});

test("the example can be pasted", () => {
  expect(curlExample("https://here.test", "rtn_x")).toBe('curl https://here.test/v1/me \\\n  -H "Authorization: Bearer rtn_x"');
});
