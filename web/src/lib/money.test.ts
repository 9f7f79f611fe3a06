import { describe, expect, it } from "vitest";

import { money, parseMoney, total } from "./money";

const usd = (amount_micro: number) => ({ amount_micro, currency: "USD" });

describe("money", () => {
  it.each([
    [0, "$0.00"],
    [1_250_000, "$1.25"],
    [123_456_789_000, "$123,456.79"],
    [12_340, "$0.0123"],
    [3_141, "$0.0031"],
    [42, "<$0.0001"],
  ])("%d micro-units are %s", (micro, words) => expect(money(usd(micro), "en")).toBe(words));

  it("writes a currency that nobody knows behind the number", () => {
    expect(money({ amount_micro: 2_000_000, currency: "credits" }, "en")).toBe("2.00 credits");
  });
});

it("adds up by currency", () => {
  const amounts = [usd(1), { amount_micro: 5, currency: "EUR" }, usd(2)];
  expect(total(amounts)).toEqual([{ amount_micro: 5, currency: "EUR" }, usd(3)]);
});

describe("parseMoney", () => {
  it.each([
    ["1.25", 1_250_000],
    ["0,5", 500_000],
    [" 3 ", 3_000_000],
    ["0.000001", 1],
    ["0.0000001", null],
    ["-1", null],
    ["a lot", null],
  ])("%s is %s", (text, micro) => expect(parseMoney(text)).toBe(micro));
});
