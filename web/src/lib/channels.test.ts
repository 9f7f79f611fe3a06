import { describe, expect, it } from "vitest";

import type { Schemas } from "@/api/client";

import { findChannels, isLastOwner, mayChange, membersInWords, whyNot } from "./channels";

type Channel = Schemas["Channel"];
type Member = Schemas["ChannelMember"];

const channel = (name: string, more: Partial<Channel> = {}): Channel =>
  ({ id: name, name, slug: null, kind: "group", created_at: "2026-01-01T00:00:00Z", last_message_at: null, ...more }) as Channel;
const person = (id: string, role: "owner" | "member" = "member"): Member =>
  ({ kind: "user", user_id: id, agent_id: null, role, name: id }) as Member;
const agent = (id: string): Member => ({ kind: "agent", user_id: null, agent_id: id, role: "member", name: id }) as Member;
const me = (role: Schemas["Role"]) => ({ role, scopes: ["read", "write", "admin"], user: { id: "me" } }) as unknown as Schemas["Me"];

describe("findChannels", () => {
  const all = [
    channel("Old talk"),
    channel("Team talk", { kind: "team", last_message_at: "2026-05-01T00:00:00Z" }),
    channel("Sales", { slug: "talk-sales", last_message_at: "2026-04-01T00:00:00Z" }),
  ];
  it("puts what was last spoken in first", () => {
    expect(findChannels(all, { query: "" }).map((one) => one.name)).toEqual(["Team talk", "Sales", "Old talk"]);
  });
  it("finds every word in name or short name, of one kind", () => {
    expect(findChannels(all, { query: " TALK  sa" }).map((one) => one.name)).toEqual(["Sales"]);
    expect(findChannels(all, { query: "talk", kind: "team" })).toHaveLength(1);
    expect(findChannels(all, { query: "nothing" })).toEqual([]);
  });
});

describe("rights", () => {
  it("let owners of the channel, leads of its team and admins change it", () => {
    expect(mayChange(me("admin"), [], null)).toBe(true);
    expect(mayChange(me("member"), [person("me", "owner")], null)).toBe(true);
    expect(mayChange(me("member"), [person("me")], "lead")).toBe(true);
    expect(mayChange(me("member"), [person("me"), person("x", "owner")], "member")).toBe(false);
    expect(mayChange(undefined, undefined, null)).toBe(false);
  });
  it("say who may make which kind", () => {
    expect(whyNot("group", me("member"), false)).toBeNull();
    expect(whyNot("team", me("member"), true)).toBeNull();
    expect(whyNot("team", me("member"), false)).toMatch(/lead/);
    expect(whyNot("organisation", me("lead"), true)).toMatch(/admin/);
    expect(whyNot("organisation", me("owner"), false)).toBeNull();
  });
  it("keep an owner in a channel with others", () => {
    expect(isLastOwner([person("me", "owner"), person("x")], "me", "group")).toBe(true);
    expect(isLastOwner([person("me", "owner"), agent("a")], "me", "group")).toBe(false);
    expect(isLastOwner([person("me", "owner"), person("x", "owner")], "me", "group")).toBe(false);
    expect(isLastOwner([person("me", "owner"), person("x")], "me", "team")).toBe(false);
  });
});

it("counts members in words", () => {
  expect(membersInWords([person("a"), agent("b")])).toBe("1 person, 1 agent");
  expect(membersInWords([person("a"), person("b")])).toBe("2 people");
});
