import { describe, expect, test } from "vitest";

import { rows, type Outgoing, type PlacedTurn, type SaidMessage, type Talk } from "./rows";

const NOON = Date.parse("2026-03-03T12:00:00Z");

function at(minutes: number): string {
  return new Date(NOON + minutes * 60_000).toISOString();
}

function said(seq: number, minutes: number, more: Partial<SaidMessage> = {}): SaidMessage {
  return {
    id: `m${seq}`,
    seq,
    author_kind: "user",
    user_id: "ada",
    agent_id: null,
    interaction_id: null,
    status: "sent",
    created_at: at(minutes),
    ...more,
  };
}

function reply(seq: number, minutes: number, turn: string): SaidMessage {
  return said(seq, minutes, { author_kind: "agent", user_id: null, agent_id: "bot", interaction_id: turn });
}

function turn(id: string, state: string, more: Partial<PlacedTurn> = {}): PlacedTurn {
  const ended = ["succeeded", "failed", "cancelled"].includes(state) ? at(1) : null;
  return {
    id,
    agent_id: "bot",
    message_id: "m1",
    state,
    stop_reason: null,
    successor_id: null,
    created_at: at(0),
    ended_at: ended,
    ...more,
  };
}

function talk(more: Partial<Talk<SaidMessage, PlacedTurn, Outgoing>>) {
  return rows({
    messages: [],
    turns: [],
    outgoing: [],
    expected: [],
    readSeq: null,
    me: "ada",
    present: true,
    ...more,
  });
}

function keys(more: Partial<Talk<SaidMessage, PlacedTurn, Outgoing>>): string[] {
  return talk(more).map((row) => row.key);
}

describe("messages", () => {
  test("of one person within five minutes are grouped", () => {
    const found = talk({ messages: [said(1, 0), said(2, 1), said(3, 9), said(4, 10, { user_id: "ben" })] });
    expect(found.map((row) => "grouped" in row && row.grouped)).toEqual([false, true, false, false]);
  });

  test("each day begins with a line, and a group ends there", () => {
    const found = talk({ messages: [said(1, 0), said(2, 1), said(3, 24 * 60)] });
    expect(found.map((row) => row.day !== null)).toEqual([true, false, true]);
  });

  test("the unread line stands once, before the first that another wrote", () => {
    const messages = [said(1, 0), said(2, 1), said(3, 2, { user_id: "ben" }), said(4, 3, { user_id: "ben" })];
    const found = talk({ messages, readSeq: 1 });
    expect(found.map((row) => row.kind === "message" && row.unread)).toEqual([false, false, true, false]);
    expect(talk({ messages }).some((row) => row.kind === "message" && row.unread)).toBe(false);
  });
});

describe("turns", () => {
  test("a turn under way stands below everything, under the key its reply will have", () => {
    const live = keys({ messages: [said(1, 0), said(2, 1)], turns: [turn("t", "running")] });
    const done = keys({ messages: [said(1, 0), said(2, 1), reply(3, 2, "t")], turns: [turn("t", "succeeded")] });
    expect(live).toEqual(["m1", "m2", "turn t"]);
    expect(done).toEqual(live);
  });

  test("a reply that is there before its turn is known to have ended is not shown twice", () => {
    expect(keys({ messages: [said(1, 0), reply(2, 1, "t")], turns: [turn("t", "running")] })).toEqual(["m1", "turn t"]);
  });

  test("two messages of one turn have two keys", () => {
    expect(keys({ messages: [reply(1, 0, "t"), reply(2, 1, "t")] })).toEqual(["turn t", "m2"]);
  });

  test("a failed turn stands where it ended", () => {
    const messages = [said(1, 0), said(2, 5)];
    expect(keys({ messages, turns: [turn("t", "failed")] })).toEqual(["m1", "turn t", "m2"]);
    expect(keys({ messages, turns: [turn("t", "failed", { ended_at: at(6) })] })).toEqual(["m1", "m2", "turn t"]);
  });

  test("messages around a failed turn are not grouped over it", () => {
    const found = talk({ messages: [said(1, 0), said(2, 2)], turns: [turn("t", "failed")] });
    expect(found[2]).toMatchObject({ key: "m2", grouped: false });
  });

  test("what nobody asked to stop is not told", () => {
    const quiet = [turn("s", "cancelled", { stop_reason: "superseded" }), turn("c", "cancelled", { successor_id: "d" }), turn("e", "succeeded")];
    expect(keys({ messages: [said(1, 0)], turns: quiet })).toEqual(["m1"]);
    expect(keys({ messages: [said(1, 0)], turns: [turn("x", "cancelled", { stop_reason: "cancelled" })] })).toHaveLength(2);
  });

  test("a turn whose message is elsewhere (a thread, the unloaded past) is not shown", () => {
    const messages = [said(7, 0)];
    expect(keys({ messages, turns: [turn("a", "running"), turn("b", "failed")] })).toEqual(["m7"]);
  });

  test("a turn that no message started is shown from its time on", () => {
    const messages = [said(1, 0)];
    expect(keys({ messages, turns: [turn("a", "running", { message_id: null })] })).toEqual(["m1", "turn a"]);
    const before = turn("b", "failed", { message_id: null, ended_at: at(-9) });
    expect(keys({ messages, turns: [before] })).toEqual(["m1"]);
  });

  test("the past shows nothing of the present", () => {
    const found = keys({
      messages: [said(1, 0)],
      turns: [turn("t", "running")],
      outgoing: [{ key: "o", created_at: at(1) }],
      expected: ["bot"],
      present: false,
    });
    expect(found).toEqual(["m1"]);
  });
});

describe("what is on its way", () => {
  test("stands last, grouped with my last words, and then who will answer", () => {
    const found = talk({ messages: [said(1, 0)], outgoing: [{ key: "o", created_at: at(1) }], expected: ["bot"] });
    expect(found.map((row) => row.key)).toEqual(["m1", "o", "expected bot"]);
    expect(found[1]).toMatchObject({ grouped: true, day: null });
  });

  test("an agent that works already is not expected a second time", () => {
    const found = keys({ messages: [said(1, 0)], turns: [turn("t", "running")], expected: ["bot"] });
    expect(found).toEqual(["m1", "turn t"]);
  });

  test("the first words of a channel have their day", () => {
    expect(talk({ outgoing: [{ key: "o", created_at: at(0) }] })[0]?.day).toBe(at(0));
  });
});
