import { describe, expect, it } from "vitest";

import { keys } from "./keys";
import { parse, Refresher, stale } from "./topics";

describe("stale", () => {
  it("asks again for the messages of the channel that has a new one, and for no other's", () => {
    const found = stale({ topic: "channel", id: "ch_1" });
    expect(found).toContainEqual(keys.messages.of("ch_1"));
    expect(found).not.toContainEqual(keys.messages.all);
  });

  it("leaves the log of interactions alone, which grows by itself", () => {
    expect(stale({ topic: "interaction", id: "int_1", scope: "ch_1" })).not.toContainEqual(keys.interactions.all);
  });

  it("fetches policies again when somebody writes one, and what is spent when a budget passes a threshold", () => {
    expect(stale({ topic: "policy", id: "pol_1" })).toContainEqual(keys.policies.all);
    expect(stale({ topic: "budget", id: "pol_1" })).toEqual([keys.budgets, keys.usage.all]);
  });

  it("fetches nothing because somebody types", () => {
    expect(stale({ topic: "typing", id: "usr_1", scope: "ch_1" })).toEqual([]);
  });
});

describe("parse", () => {
  it("reads an event", () => {
    const text = '{"topic":"typing","id":"usr_1","scope":"ch_1"}';
    expect(parse(text)).toEqual({ topic: "typing", id: "usr_1", scope: "ch_1" });
    expect(parse('{"topic":"resync"}')).toEqual({ topic: "resync", id: "" });
  });

  it.each(["", "not json", "null", "[]", '{"topic":"from-the-future","id":"x"}'])("passes over %s", (text) => {
    expect(parse(text)).toBeNull();
  });
});

describe("Refresher", () => {
  it("serves a burst with one fetch at a time and one more at the end", async () => {
    const waiting: (() => void)[] = [];
    let under = 0;
    let most = 0;
    const refetch = () => {
      under += 1;
      most = Math.max(most, under);
      return new Promise<void>((done) => {
        waiting.push(() => {
          under -= 1;
          done();
        });
      });
    };
    const refresher = new Refresher(refetch, () => Promise.resolve());
    for (let i = 0; i < 50; i += 1) refresher.ask(["messages", "ch_1"]);
    refresher.ask(["channels"]);
    expect(waiting).toHaveLength(2);
    waiting.splice(0).forEach((done) => done());
    await new Promise((done) => setTimeout(done));
    expect(waiting).toHaveLength(1); // the messages once more, the channels not
    waiting.splice(0).forEach((done) => done());
    await new Promise((done) => setTimeout(done));
    expect(waiting).toHaveLength(0);
    expect(most).toBe(2);
  });

  it("goes on after a fetch that failed", async () => {
    let calls = 0;
    const refresher = new Refresher(() => ((calls += 1), Promise.reject(new Error("no"))), () => Promise.resolve());
    refresher.ask(["x"]);
    await new Promise((done) => setTimeout(done));
    refresher.ask(["x"]);
    await new Promise((done) => setTimeout(done));
    expect(calls).toBe(2);
  });
});
