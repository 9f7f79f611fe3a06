import { describe, expect, test } from "vitest";

import { EMPTY, answer, lastEventId, reduce, reduceAll, told, type Reply, type StreamEvent } from "./stream";

/** Recorded from a real server by tools/stream_traces.py. */
const TRACES = import.meta.glob<StreamEvent[]>("./traces/*.json", { eager: true, import: "default" });

function trace(name: string): StreamEvent[] {
  const events = TRACES[`./traces/${name}.json`];
  if (!events) throw new Error(`no trace ${name}`);
  return events;
}

function content(reply: Reply): string {
  return (reply.message as { content: string }).content;
}

function without(events: StreamEvent[], ...names: string[]): StreamEvent[] {
  return events.filter((one) => !names.includes(one.event));
}

describe("traces of a real server", () => {
  test("a plain reply is what the message says, with the reasoning before it", () => {
    const reply = reduceAll(EMPTY, trace("plain"));
    expect(reply.phase).toBe("done");
    expect(answer(reply).trim()).toBe(content(reply).trim());
    expect(reply.reasoning).toBe("A short story, then.");
    expect(reply.end?.state).toBe("succeeded");
  });

  test("the text only grows while a plain reply streams", () => {
    let reply = EMPTY;
    for (const event of trace("plain")) {
      const next = reduce(reply, event);
      expect(answer(next).startsWith(answer(reply))).toBe(true);
      reply = next;
    }
  });

  test("parallel tool calls keep the model's order, each with its own end", () => {
    const reply = reduceAll(EMPTY, trace("tools"));
    expect(reply.calls.map((call) => [call.seq, call.tool, call.state])).toEqual([
      [2, "current_time", "success"],
      [3, "search_messages", "success"],
      [4, "no_such_tool", "failed"],
    ]);
    expect(reply.calls[0]?.arguments).toEqual({ time_zone: "Europe/Lisbon" });
    expect(reply.passages.map((one) => one.step)).toEqual([1, 5]);
    expect(answer(reply)).toBe(content(reply));
  });

  test("tools are announced until their calls stand in the journal", () => {
    const phases = new Set<string>();
    let reply = EMPTY;
    for (const event of trace("tools")) {
      reply = reduce(reply, event);
      phases.add(`${reply.phase} ${reply.announced.length}`);
    }
    expect(phases).toContain("calling 3");
    expect(phases).toContain("calling 0");
    expect(reply.announced).toEqual([]);
  });

  test("after a takeover nothing of the dead attempt is left", () => {
    const reply = reduceAll(EMPTY, trace("takeover"));
    expect(reply.attempt).toBe(2);
    expect(answer(reply).trim()).toBe(content(reply).trim());
  });

  test("a reader that comes back without an id sees nothing twice", () => {
    const reply = reduceAll(EMPTY, trace("duplicates"));
    expect(answer(reply).trim()).toBe(content(reply).trim());
  });

  test("a cancelled reply keeps what was said", () => {
    const reply = reduceAll(EMPTY, trace("cancelled"));
    expect(reply.end).toMatchObject({ state: "cancelled", messageId: null });
    expect(answer(reply)).toContain("Once upon a time");
  });

  test("a failed reply says why", () => {
    const { end, message } = reduceAll(EMPTY, trace("failed"));
    expect(message).toBeNull();
    expect(end).toMatchObject({ state: "failed", error: "model_refused" });
    expect(end?.detail).toContain("401");
  });
});

describe("whatever comes", () => {
  test("an answer that was there at once, in no pieces, is its message's", () => {
    const events: StreamEvent[] = [
      { event: "thinking", data: {}, id: null },
      { event: "message", data: { text: "all of it" }, id: null },
      { event: "done", data: { state: "succeeded" }, id: null },
    ];
    expect(answer(reduceAll(EMPTY, events))).toBe("all of it");
  });

  const names = ["plain", "tools", "takeover", "duplicates"];

  test.each(names)("%s: any prefix sent again changes nothing in the end", (name) => {
    const events = trace(name);
    const whole = reduceAll(EMPTY, events);
    for (let cut = 0; cut < events.length; cut += 1) {
      const twice = [...without(events.slice(0, cut), "done"), ...events];
      const reply = reduceAll(EMPTY, twice);
      expect({ ...reply, announced: [] }).toEqual({ ...whole, announced: [] });
    }
  });

  test.each(names)("%s: pieces lost before the message cost no final text", (name) => {
    const reply = reduceAll(EMPTY, without(trace(name), "delta", "call"));
    expect(content(reply).length).toBeGreaterThan(10);
    expect(reply.phase).toBe("done");
  });

  test("missing and wrong fields never throw", () => {
    const values = [undefined, null, 3, "x", [], {}, { text: 5 }, { seq: "1" }, { id: 7 }, { state: null }];
    const kinds = ["thinking", "delta", "reasoning", "call", "reset", "step", "wait", "message", "done", "later", ""];
    for (const event of kinds) {
      for (const data of values) {
        for (const id of [undefined, null, "", "x", "1", "1.1", "9999999999.1"]) {
          expect(() => reduce(EMPTY, { event, data, id })).not.toThrow();
        }
      }
    }
  });

  test("a piece of an older attempt is not taken", () => {
    const now = reduceAll(EMPTY, [{ event: "delta", id: "2.4", data: { step: 1, text: "new" } }]);
    expect(reduce(now, { event: "delta", id: "1.9", data: { step: 1, text: "old" } })).toBe(now);
  });

  test("a piece of a newer attempt without a reset begins again", () => {
    const reply = reduceAll(EMPTY, [
      { event: "delta", id: "1.1", data: { step: 1, text: "old" } },
      { event: "delta", id: "2.1", data: { step: 1, text: "new" } },
    ]);
    expect(answer(reply)).toBe("new");
    expect(lastEventId(reply)).toBe("2.1");
  });

  test("words before a call that stands in the journal survive a takeover", () => {
    const reply = reduceAll(EMPTY, [
      { event: "delta", id: "1.1", data: { step: 1, text: "Let me look." } },
      { event: "step", data: { seq: 2, kind: "act", tool: "look", state: "success" } },
      { event: "delta", id: "1.2", data: { step: 3, text: "It is" } },
      { event: "reset", id: "2.0", data: { attempt: 2 } },
    ]);
    expect(reply.passages).toEqual([{ step: 1, text: "Let me look." }]);
    expect(answer(reply)).toBe("");
    expect(reply.calls).toHaveLength(1);
  });

  test("an answered question goes away with the next word of its step", () => {
    const asked = reduceAll(EMPTY, [
      { event: "step", data: { seq: 2, kind: "act", tool: "pay", state: "unknown" } },
      { event: "wait", data: { id: "wait_1", kind: "outcome", prompt: "Did it happen?", tool: "pay", step_seq: 2 } },
    ]);
    expect(asked.phase).toBe("waiting");
    const answered = reduce(asked, { event: "step", data: { seq: 2, kind: "act", tool: "pay", state: "success" } });
    expect(answered.waits).toEqual([]);
    expect(answered.phase).toBe("thinking");
  });

  test("what stands in the channel need not be kept: only the end and the place in the stream are", () => {
    const reply = reduceAll(EMPTY, trace("tools"));
    expect(told(reply)).toEqual({ ...EMPTY, phase: "done", attempt: reply.attempt, seq: reply.seq, end: reply.end });
    expect(lastEventId(told(reply))).toBe(lastEventId(reply));
    const open = reduceAll(EMPTY, without(trace("tools"), "done"));
    expect(told(open)).toBe(open);
  });

  test("a retry after the end begins again at the next attempt", () => {
    const failed = reduceAll(EMPTY, [
      { event: "delta", id: "1.1", data: { step: 1, text: "Half an" } },
      { event: "done", data: { state: "failed", error: "model_unavailable" } },
    ]);
    const again = reduce(failed, { event: "reset", id: "2.0", data: { attempt: 2 } });
    expect(again.end).toBeNull();
    expect(answer(again)).toBe("");
    expect(again.phase).toBe("thinking");
  });
});
