import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { ReadMark } from "./readmark";

describe("a read mark", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("is told once for a burst, and only forwards", async () => {
    const told: number[] = [];
    const mark = new ReadMark((seq) => Promise.resolve(void told.push(seq)), () => true, 100);
    mark.see(1);
    mark.see(3);
    mark.see(2);
    await vi.advanceTimersByTimeAsync(100);
    mark.see(3);
    await vi.advanceTimersByTimeAsync(500);
    expect(told).toEqual([3]);
  });
  it("waits for somebody to look", async () => {
    const told: number[] = [];
    let looking = false;
    const mark = new ReadMark((seq) => Promise.resolve(void told.push(seq)), () => looking, 100);
    mark.see(5);
    await vi.advanceTimersByTimeAsync(200);
    expect(told).toEqual([]);
    looking = true;
    mark.later();
    await vi.advanceTimersByTimeAsync(100);
    expect(told).toEqual([5]);
  });
  it("tells what came while it was telling, and again after a failure", async () => {
    const asked: number[] = [];
    let answer: (() => void) | undefined;
    let fail = false;
    const tell = (seq: number) => {
      asked.push(seq);
      if (fail) return Promise.reject(new Error("no"));
      return new Promise<void>((resolve) => (answer = resolve));
    };
    const mark = new ReadMark(tell, () => true, 100);
    mark.see(1);
    await vi.advanceTimersByTimeAsync(100);
    mark.see(2);
    await vi.advanceTimersByTimeAsync(100);
    expect(asked).toEqual([1]);
    fail = true;
    answer?.();
    await vi.advanceTimersByTimeAsync(100);
    expect(asked).toEqual([1, 2]);
    fail = false;
    mark.leave();
    expect(asked).toEqual([1, 2, 2]);
  });
});
