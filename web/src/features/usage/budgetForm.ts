/** The form of a budget, which is a policy of type cost_limit: its values, what is wrong with them, what is sent. Pure. */
import type { CostRule } from "@/api/budgets";
import type { NewPolicy, Policy } from "@/api/policies";
import { parseMoney } from "@/lib/money";

export type Per = CostRule["per"];
export type Period = CostRule["period"];
export type Layer = Policy["layer"];

export interface BudgetValues {
  name: string;
  /** "account", "user" (one's own), or the id of a team. */
  place: string;
  per: Per;
  period: Period;
  limit: string;
  /** At how many percent people are told: "50, 80". */
  warn: string;
  zone: string;
}

export interface Place {
  value: string;
  label: string;
}

interface Who {
  admin: boolean;
  teams: readonly { id: string; name: string }[];
  memberships: readonly { team_id: string | null; role: string }[];
}

const MICRO = 1_000_000;
const MOST = 1e15;
const MOST_WARNINGS = 5;

/** Where one may keep a budget: admins everywhere, leads in the teams they lead, everyone for themselves. */
export function placesOf({ admin, teams, memberships }: Who): Place[] {
  const led = new Set(memberships.filter(({ role }) => role !== "member").map(({ team_id }) => team_id));
  const mine = teams.filter(({ id }) => admin || led.has(id));
  return [
    ...(admin ? [{ value: "account", label: "The whole account" }] : []),
    ...mine.map(({ id, name }) => ({ value: id, label: `The team ${name}` })),
    { value: "user", label: "What is done for me" },
  ];
}

export function layerOf(place: string): Layer {
  return place === "account" || place === "user" ? place : "team";
}

/** Whether this person may change the policy. */
export function mayEdit({ layer, team_id }: { layer: Layer; team_id: string | null }, places: readonly Place[]): boolean {
  return places.some(({ value }) => value === (layer === "team" ? team_id : layer));
}

const SUBJECTS: Record<Layer, Partial<Record<Per, string>>> = {
  account: {
    account: "Everything together", team: "Each team by itself", user: "Each person by themselves", agent: "Each agent by itself",
    interaction: "Each turn, with all it hands on", delegation: "Each turn that was handed on",
  },
  team: {
    team: "All of the team together", user: "Each person by themselves", agent: "Each agent by itself",
    interaction: "Each turn, with all it hands on", delegation: "Each turn that was handed on",
  },
  user: {
    user: "Everything together", agent: "Each agent by itself", interaction: "Each turn, with all it hands on",
    delegation: "Each turn that was handed on",
  },
}; // prettier-ignore

/** What may be added up in this place; what is set already stays among it. */
export function subjects(place: string, current: Per): { value: string; label: string }[] {
  const known = SUBJECTS[layerOf(place)];
  const all = known[current] === undefined ? { [current]: SUBJECTS.account[current], ...known } : known;
  return Object.entries(all).map(([value, label]) => ({ value, label }));
}

/** The same in another place: what cannot be added up there becomes the first that can. */
export function moved(values: BudgetValues, place: string): BudgetValues {
  const known = SUBJECTS[layerOf(place)];
  const per = known[values.per] === undefined ? (Object.keys(known)[0] as Per) : values.per;
  return { ...values, place, per };
}

export const PERIODS: { value: Period; label: string }[] = [
  { value: "day", label: "Each day" },
  { value: "week", label: "Each week" },
  { value: "month", label: "Each month" },
  { value: "total", label: "In all, for good" },
];

/** A limit of single turns has no period of its own. */
export function hasPeriod(per: Per): boolean {
  return per !== "interaction" && per !== "delegation";
}

export function valuesOf(policy: Policy | null, place: string, zone: string): BudgetValues {
  const rule = policy?.rule;
  if (policy && rule?.type === "cost_limit") {
    return {
      name: policy.name, place: policy.layer === "team" ? (policy.team_id ?? "") : policy.layer, per: rule.per, period: rule.period,
      limit: String(rule.limit_micro / MICRO), warn: rule.warn_at.join(", "), zone: rule.time_zone,
    }; // prettier-ignore
  }
  return moved({ name: "", place, per: "account", period: "month", limit: "", warn: "80", zone }, place);
}

/** The percentages, in order, each once; null where one is none. */
export function parseWarnings(text: string): number[] | null {
  const said = text.split(/[\s,;%]+/u).filter(Boolean);
  const found = said.map(Number);
  if (found.length > MOST_WARNINGS || found.some((one) => !Number.isInteger(one) || one < 1 || one > 100)) return null;
  return [...new Set(found)].sort((a, b) => a - b);
}

/** What is wrong, by field; empty when all is well. The server checks again. */
export function check({ name, limit, warn }: BudgetValues): Record<string, string> {
  const found: Record<string, string> = {};
  if (!name.trim()) found["name"] = "Give it a name.";
  const micro = parseMoney(limit);
  if (micro === null || micro > MOST) found["limit"] = "Use an amount in dollars such as 50 or 0.50.";
  if (parseWarnings(warn) === null) found["warn"] = "Use whole percentages from 1 to 100, at most five, such as 50, 80.";
  return found;
}

/** The rule as the API takes it. What this form does not show (its scope) stays as it is. */
function ruleOf({ per, period, limit, warn, zone }: BudgetValues, before: CostRule | null) {
  const scope = before?.scope ?? { agents: [], channels: [], tools: [], effects: [] };
  return {
    type: "cost_limit" as const, scope, per, period: hasPeriod(per) ? period : ("total" as const),
    limit_micro: parseMoney(limit) ?? 0, currency: "USD" as const, warn_at: parseWarnings(warn) ?? [], time_zone: zone,
  }; // prettier-ignore
}

export function toNew(values: BudgetValues): NewPolicy {
  const layer = layerOf(values.place);
  return {
    name: values.name.trim(), layer, team_id: layer === "team" ? values.place : null, rule: ruleOf(values, null), enabled: true, priority: 100,
  }; // prettier-ignore
}

export function toChange(values: BudgetValues, policy: Policy) {
  const before = policy.rule?.type === "cost_limit" ? policy.rule : null;
  return { name: values.name.trim(), rule: ruleOf(values, before), version: policy.version };
}

const NAMES: Record<string, string> = { limit_micro: "limit", warn_at: "warn", time_zone: "zone", per: "per", period: "period" };

/** The server's reasons beside the fields they belong to; the rest under "". */
export function serverErrors(fields: Record<string, string>): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [path, reason] of Object.entries(fields)) {
    const last = path.split(".").find((part) => part in NAMES);
    const name = path === "name" ? "name" : last ? (NAMES[last] ?? "") : "";
    found[name] = found[name] ? `${found[name]} ${reason}` : reason;
  }
  return found;
}

export interface Remarks {
  warnings: readonly string[];
  ceilings: readonly { name: string; detail: string }[];
  personal_ceilings: number;
}

/** What whoever saved should know; empty where there is nothing. */
export function remarks({ warnings, ceilings, personal_ceilings }: Remarks): string[] {
  const own = personal_ceilings === 1 ? "A person’s own budget promises more. The tighter of both holds."
    : `${personal_ceilings} people’s own budgets promise more. The tighter of both holds.`; // prettier-ignore
  return [
    ...warnings,
    ...ceilings.map(({ name, detail }) => `“${name}” now promises more than this gives: it ${detail.replace(/\.$/, "")}.`),
    ...(personal_ceilings > 0 ? [own] : []),
  ];
}
