import { describe, expect, test } from "vitest";

import { append, newest, prepend, refresh, replace, trim, upsert, type History } from "./history";

interface Said {
  id: string;
  seq: number;
  text?: string;
}

function said(...seqs: number[]): Said[] {
  return seqs.map((seq) => ({ id: `m${seq}`, seq }));
}

function seqs(history: History<Said>): number[] {
  return history.items.map((item) => item.seq);
}

const FIVE = newest({ items: said(9, 8, 7, 6, 5), more: true });

describe("a stretch of history", () => {
  test("begins with the newest page, in reading order", () => {
    expect(seqs(FIVE)).toEqual([5, 6, 7, 8, 9]);
    expect(FIVE).toMatchObject({ older: true, newer: false });
  });

  test("grows at the front until there is no more", () => {
    const all = prepend(FIVE, { items: said(4, 3), more: false });
    expect(seqs(all)).toEqual([3, 4, 5, 6, 7, 8, 9]);
    expect(all.older).toBe(false);
  });

  test("grows at the end, and overlaps do not double", () => {
    const past: History<Said> = { items: said(1, 2), older: false, newer: true };
    const more = append(past, { items: said(2, 3, 4), more: false });
    expect(seqs(more)).toEqual([1, 2, 3, 4]);
    expect(more.newer).toBe(false);
  });

  test("news that meets it is joined", () => {
    expect(seqs(refresh(FIVE, { items: said(11, 10, 9), more: true }))).toEqual([5, 6, 7, 8, 9, 10, 11]);
  });

  test("news that does not meet it leaves a gap to be read, not a hole", () => {
    const gap = refresh(FIVE, { items: said(40, 39), more: true });
    expect(seqs(gap)).toEqual([5, 6, 7, 8, 9]);
    expect(gap.newer).toBe(true);
  });

  test("news that changes nothing gives the same object", () => {
    expect(refresh(FIVE, { items: said(9, 8), more: true })).toBe(FIVE);
  });

  test("news brings edits with it and keeps what is unchanged", () => {
    const after = refresh(FIVE, { items: [{ id: "m9", seq: 9, text: "edited" }, ...said(8)], more: true });
    expect(after.items.at(-1)?.text).toBe("edited");
    expect(after.items[3]).toBe(FIVE.items[3]);
  });

  test("a reader of the past stays there", () => {
    const past: History<Said> = { items: said(5, 6), older: true, newer: true };
    const after = refresh(past, { items: said(40, 39), more: true });
    expect(seqs(after)).toEqual([5, 6]);
    expect(after.newer).toBe(true);
  });

  test("an empty channel takes its first message", () => {
    expect(seqs(refresh(newest<Said>({ items: [], more: false }), { items: said(1), more: false }))).toEqual([1]);
  });

  test("one message is replaced, appended, or left for later", () => {
    expect(upsert(FIVE, { id: "m6", seq: 6, text: "x" }).items[1]?.text).toBe("x");
    expect(seqs(upsert(FIVE, { id: "m10", seq: 10 }))).toEqual([5, 6, 7, 8, 9, 10]);
    expect(upsert(FIVE, { id: "m2", seq: 2 })).toBe(FIVE);
    expect(upsert({ ...FIVE, newer: true }, { id: "m10", seq: 10 }).items).toHaveLength(5);
  });

  test("what is read again changes, and nothing is added", () => {
    const again = replace(FIVE, [{ id: "m6", seq: 6, text: "edited" }, ...said(40)]);
    expect(seqs(again)).toEqual([5, 6, 7, 8, 9]);
    expect(again.items[1]?.text).toBe("edited");
    expect(replace(FIVE, said(6, 7))).toBe(FIVE);
  });

  test("is trimmed at the front only", () => {
    const room = { messages: 2, characters: 100, least: 1 };
    const five = newest({ items: said(9, 8, 7, 6, 5).map((one) => ({ ...one, content: "" })), more: false });
    expect(seqs(trim(five, room))).toEqual([8, 9]);
    expect(trim(five, room).older).toBe(true);
    expect(trim(five, { ...room, messages: 5 })).toBe(five);
  });

  test("is kept shorter where messages are long, but never too short to read", () => {
    const long = newest({ items: said(9, 8, 7, 6, 5).map((one) => ({ ...one, content: "x".repeat(40) })), more: true });
    expect(seqs(trim(long, { messages: 5, characters: 100, least: 1 }))).toEqual([8, 9]);
    expect(seqs(trim(long, { messages: 5, characters: 100, least: 3 }))).toEqual([7, 8, 9]);
    expect(trim(long, { messages: 5, characters: 200, least: 1 })).toBe(long);
  });

  test("grown by news it equals what a fresh fetch gives", () => {
    let live = newest({ items: said(3, 2, 1), more: false });
    for (let seq = 4; seq < 20; seq += 1) live = refresh(live, { items: said(seq, seq - 1), more: true });
    expect(live).toEqual(newest({ items: said(...Array.from({ length: 19 }, (_, index) => 19 - index)), more: false }));
  });
});
