import { describe, expect, it } from "vitest";

import type { Interaction, LogData } from "@/api/interactions";
import { rowsOf, unseen } from "@/lib/paged";

import { patched } from "./log";

function row(id: string, state: Interaction["state"] = "succeeded"): Interaction {
  const cost = { amount_micro: 0, currency: "USD" };
  return { id, state, attempt: 1, cost, input_tokens: 0, output_tokens: 0 } as Interaction;
}

function log(...pages: Interaction[][]): LogData {
  return { pages: pages.map((data) => ({ data, next: null })), pageParams: pages.map(() => null) };
}

const ids = (rows: readonly Interaction[]): string => rows.map((one) => one.id).join("");

describe("the log", () => {
  it("changes rows where they stand and moves none", () => {
    const before = log([row("c"), row("b", "running")], [row("a")]);
    const after = patched(before, [row("d"), row("b", "failed")]);
    expect(ids(rowsOf(after))).toBe("cba");
    expect(rowsOf(after)[1]?.state).toBe("failed");
    expect(after.pages[1]).toBe(before.pages[1]);
  });

  it("stays the same object when nothing has changed", () => {
    const before = log([row("b"), row("a")]);
    expect(patched(before, [row("a"), row("z")])).toBe(before);
  });

  it("shows a row once that stands on two pages", () => {
    expect(ids(rowsOf(log([row("c"), row("b")], [row("b"), row("a")])))).toBe("cba");
    expect(rowsOf(undefined)).toEqual([]);
  });

  it("holds back what is new until it is asked for", () => {
    expect(ids(unseen([row("b"), row("a")], [row("d"), row("c"), row("b")]))).toBe("dc");
  });
});
