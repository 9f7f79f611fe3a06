import { expect, test } from "vitest";

import { SseReader, backoff } from "./sse";

const WIRE =
  'event: thinking\ndata: {}\n\n: keep-alive\n\nid: 1.1\nevent: delta\ndata: {"text":"Ü a\\n\\nb"}\n\nevent: x\ndata: {no\n\n';

test("events come out whole, wherever the pieces were cut", () => {
  const whole = new SseReader().push(WIRE);
  expect(whole).toEqual([
    { event: "thinking", id: null, data: {} },
    { event: "delta", id: "1.1", data: { text: "Ü a\n\nb" } },
  ]);
  for (let cut = 0; cut <= WIRE.length; cut += 1) {
    const reader = new SseReader();
    expect([...reader.push(WIRE.slice(0, cut)), ...reader.push(WIRE.slice(cut))]).toEqual(whole);
  }
});

test("an event that is not finished is kept for later", () => {
  const reader = new SseReader();
  expect(reader.push("event: done\ndata: {}\n")).toEqual([]);
  expect(reader.push("\n")).toHaveLength(1);
});

test("waiting doubles, has a limit and never is the same for all", () => {
  expect(backoff(0, () => 0.5)).toBe(250);
  expect(backoff(3, () => 0.5)).toBe(2000);
  expect(backoff(99, () => 1)).toBe(6250);
  expect(backoff(0, () => 0)).toBeLessThan(backoff(0, () => 1));
});
