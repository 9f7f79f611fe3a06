/**
 * A policy as text, as it is kept in git: agents and channels by slug, people by e-mail, YAML or JSON. What is read is
 * not yet known to be a rule: the server says what is wrong with it. Pure.
 */
import { isMap, LineCounter, parseDocument, stringify } from "yaml";

import type { Content } from "./form";

export type Format = "yaml" | "json";

/** Names for ids, one way and the other. */
export interface Slugs {
  /** By id. */
  slug: ReadonlyMap<string, string>;
  /** By slug or e-mail, each with the kind of thing before it: "agent:ledger". */
  id: ReadonlyMap<string, string>;
}

interface Named {
  id: string;
  slug: string | null;
}

export function slugsOf(agents: readonly Named[], channels: readonly Named[], people: readonly { id: string; email: string }[]): Slugs {
  const all = [
    ...agents.map(({ id, slug }) => ({ noun: "agent", id, slug })),
    ...channels.map(({ id, slug }) => ({ noun: "channel", id, slug })),
    ...people.map(({ id, email }) => ({ noun: "user", id, slug: email })),
  ].flatMap(({ noun, id, slug }) => (slug === null ? [] : [{ noun, id, slug }]));
  return {
    slug: new Map(all.map(({ id, slug }) => [id, slug])),
    id: new Map(all.map(({ noun, id, slug }) => [`${noun}:${slug}`, id])),
  };
}

/** The text of a policy; its kind stands first. */
export function toText({ name, enabled, priority, rule }: Pick<Content, "name" | "enabled" | "priority"> & { rule: object }, slugs: Slugs, format: Format): string {
  const { type, scope, ...rest } = renamed(rule as Tree, (_, id) => slugs.slug.get(id) ?? id);
  const narrowed = Object.fromEntries(Object.entries((scope ?? {}) as Tree).filter(([, list]) => !Array.isArray(list) || list.length > 0));
  const content = { name, enabled, priority, rule: { type, ...(Object.keys(narrowed).length > 0 ? { scope: narrowed } : {}), ...rest } };
  return format === "json" ? `${JSON.stringify(content, null, 2)}\n` : stringify(content, { lineWidth: 100 });
}

export interface Wrong {
  line: number | null;
  words: string;
}

export type Read = { ok: true; content: { name: string; enabled: boolean; priority: number; rule: Tree } } | { ok: false; wrong: Wrong };

/** What stands in the text, YAML or JSON alike; or what is wrong with it, and in which line. */
export function fromText(text: string, slugs: Slugs, unnamed = false): Read {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter });
  const error = document.errors[0];
  if (error) {
    const words = error.message.split(" at line ")[0] ?? error.message;
    return { ok: false, wrong: { line: error.linePos?.[0].line ?? null, words: words.replace(/[:.]?\s*$/, ".") } };
  }
  if (!isMap(document.contents)) return refuse("Write fields with their values, beginning with name.");
  const found = document.toJS() as Tree;
  const { name, enabled = true, priority = 100, rule, ...rest } = found;
  const odd = Object.keys(rest).find((key) => !["layer", "team", "type"].includes(key));
  if (odd !== undefined) return refuse(`There is no field ${odd}: use name, enabled, priority and rule.`);
  if (typeof name !== "string" || (name.trim() === "" && !unnamed)) return refuse("Give it a name.");
  if (typeof enabled !== "boolean") return refuse("enabled is true or false.");
  if (typeof priority !== "number") return refuse("priority is a number from 0 to 1000.");
  if (!isTree(rule)) return refuse("Write a rule, with its type.");
  const typed = "type" in rule || !("type" in rest) ? rule : { type: rest["type"], ...rule };
  if (typeof typed["type"] !== "string") return refuse("The rule has no type.");
  return { ok: true, content: { name, enabled, priority, rule: renamed(typed, (noun, text) => slugs.id.get(`${noun}:${text}`) ?? text) } };
}

function refuse(words: string): Read {
  return { ok: false, wrong: { line: null, words } };
}

// ── names for ids ──────────────────────────────────────────────────────────────────────────────────────────────────

export type Tree = Record<string, unknown>;

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

type Rename = (noun: string, text: string) => string;

/** The rule with its agents, channels and people called otherwise. */
function renamed(rule: Tree, by: Rename): Tree {
  const other = { ...rule };
  if (isTree(rule["scope"])) {
    const scope = { ...rule["scope"] };
    for (const [noun, key] of [["agent", "agents"], ["channel", "channels"]] as const) scope[key] = each(scope[key], noun, by); // prettier-ignore
    other["scope"] = dropMissing(scope);
  }
  if (isTree(rule["ask"]) && Array.isArray(rule["ask"]["panels"])) {
    const panels = (rule["ask"]["panels"] as unknown[]).map((panel) =>
      isTree(panel) && "users" in panel ? { ...panel, users: each(panel["users"], "user", by) } : panel,
    );
    other["ask"] = { ...rule["ask"], panels };
  }
  return other;
}

function each(list: unknown, noun: string, by: Rename): unknown {
  return Array.isArray(list) ? list.map((one: unknown) => (typeof one === "string" ? by(noun, one) : one)) : list;
}

function dropMissing(tree: Tree): Tree {
  return Object.fromEntries(Object.entries(tree).filter(([, value]) => value !== undefined));
}
