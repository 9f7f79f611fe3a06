/** Totals told apart by agent, model, team, person or tool: their sums, their order, and their parts of each day. Pure. */
import type { UsageRow } from "@/api/usage";
import { dayLabel } from "@/lib/costAxis";
import { label, shortModel } from "@/lib/format";

import type { By } from "./filters";

export interface Group {
  /** The id or name; empty for what has none. */
  key: string;
  name: string;
  micro: number;
  /** Of all in the table, 0 to 1. */
  share: number;
  /** Responses and calls of unknown price: what they cost is not in it. */
  unpriced: number;
  turns: number;
  calls: number;
  input: number;
  output: number;
  /** Its mark in the chart; null where it is among the others. */
  colour: string | null;
}

type Named = { id: string; name: string }[] | undefined;

export interface Known {
  agents: Named;
  people: Named;
  teams: Named;
  tools: { slug: string; name: string }[] | undefined;
  /** The colours that agents bring. */
  accents: ReadonlyMap<string, string>;
}

/** What each thing is told apart by, and what stands for none. */
const FIELDS = { agent: "agent_id", model: "model", team: "team_id", user: "user_id", tool: "tool" } as const;
const NONE: Record<By, string> = {
  agent: "No agent", model: "No model: paid tools", team: "Outside teams’ channels", user: "Nobody’s request", tool: "Models",
}; // prettier-ignore
const GONE = { agent: "An agent that is gone", team: "A team that is gone", user: "A person who is gone" };
const LOADING = "…";

/** One hue, from the strongest to the faintest; what is left over is grey. */
const SHADES = [
  "color-mix(in srgb, var(--rt-blue-mark) 55%, var(--rt-text))",
  "color-mix(in srgb, var(--rt-blue-mark) 80%, var(--rt-text))",
  "var(--rt-blue-mark)",
  "color-mix(in srgb, var(--rt-blue-mark) 68%, var(--rt-ground))",
  "color-mix(in srgb, var(--rt-blue-mark) 42%, var(--rt-ground))",
] as const;
export const REST = "var(--rt-grey-mark)";
const APART = SHADES.length;

export function keyOf(row: UsageRow, by: By): string {
  return row[FIELDS[by]] ?? "";
}

export function nameOf(by: By, key: string, known: Known): string {
  if (key === "") return NONE[by];
  if (by === "model") return shortModel(key);
  if (by === "tool") return known.tools?.find((tool) => tool.slug === key)?.name ?? label(key);
  const list = { agent: known.agents, team: known.teams, user: known.people }[by];
  return list ? (list.find((one) => one.id === key)?.name ?? GONE[by]) : LOADING;
}

/** The groups of these rows, what cost most first. */
export function groupsOf(rows: readonly UsageRow[], by: By, known: Known): Group[] {
  const found = new Map<string, Group>();
  for (const row of rows) {
    const key = keyOf(row, by);
    const group = found.get(key) ?? { ...EMPTY, key, name: nameOf(by, key, known) };
    group.micro += row.cost.amount_micro;
    group.unpriced += row.unpriced;
    group.turns += row.interactions;
    group.calls += row.model_calls + row.tool_calls;
    group.input += row.input_tokens;
    group.output += row.output_tokens;
    found.set(key, group);
  }
  const groups = [...found.values()].sort((a, b) => b.micro - a.micro || b.turns - a.turns || a.name.localeCompare(b.name));
  const all = groups.reduce((sum, group) => sum + group.micro, 0);
  const colours = coloursOf(groups.filter(({ micro }) => micro > 0).slice(0, APART), by, known);
  return groups.map((group) => ({
    ...group,
    share: all > 0 ? group.micro / all : 0,
    colour: colours.get(group.key) ?? null,
  }));
}

const EMPTY = { key: "", name: "", micro: 0, share: 0, unpriced: 0, turns: 0, calls: 0, input: 0, output: 0, colour: null };

/** Agents keep the colours they bring, unless two of them bring the same one. */
function coloursOf(first: readonly Group[], by: By, known: Known): Map<string, string> {
  const own = first.map(({ key }) => (by === "agent" ? known.accents.get(key) : undefined));
  const useOwn = own.every((colour) => colour !== undefined) && new Set(own).size === own.length;
  return new Map(first.map(({ key }, at) => [key, (useOwn ? own[at] : SHADES[at]) ?? REST]));
}

export interface Series {
  /** Of the field in a day: free of what a path would read into it. */
  name: string;
  label: string;
  color: string;
}

export interface Stack {
  series: Series[];
  /** One a day, oldest first; heights in whole units of the currency. */
  days: Record<string, string | number>[];
  highest: number;
}

/** The days as stacked bars: the groups that have a colour, and the others in one. */
export function stackOf(rows: readonly UsageRow[], days: readonly string[], groups: readonly Group[], by: By, split: boolean): Stack {
  const shown = split ? groups.filter(({ colour }) => colour !== null) : [];
  const at = new Map(shown.map(({ key }, index) => [key, `s${index}`]));
  const sums = new Map(days.map((day) => [day, new Map<string, number>()]));
  let others = false;
  for (const row of rows) {
    const sum = sums.get(row.day ?? "");
    if (!sum || row.cost.amount_micro === 0) continue;
    const name = (split ? at.get(keyOf(row, by)) : undefined) ?? "rest";
    others ||= name === "rest";
    sum.set(name, (sum.get(name) ?? 0) + row.cost.amount_micro);
  }
  const series = shown.map(({ name, colour }, index) => ({ name: `s${index}`, label: name, color: colour ?? REST }));
  const left = groups.filter(({ colour, micro }) => colour === null && micro > 0);
  const leftWords = left.length === 1 ? (left[0]?.name ?? "") : "All others";
  if (others) series.push(split ? { name: "rest", label: leftWords, color: REST } : { name: "rest", label: "Cost", color: "var(--rt-blue-mark)" });
  const totals = [...sums.values()].map((sum) => [...sum.values()].reduce((all, one) => all + one, 0));
  return {
    series,
    days: [...sums].map(([day, sum]) => ({
      day,
      label: dayLabel(day),
      ...Object.fromEntries([...sum].map(([name, micro]) => [name, micro / 1_000_000])),
    })),
    highest: Math.max(0, ...totals) / 1_000_000,
  };
}

/** Which days have a label under them: at most eight, evenly, the first among them. */
export function labelled(days: readonly string[], most = 8): string[] {
  const step = [1, 2, 5, 7, 14, 30, 60].find((one) => days.length / one <= most) ?? 90;
  return days.filter((_, at) => at % step === 0);
}
