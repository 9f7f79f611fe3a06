/** The form of a policy: its values, what is wrong with them, and the rule that they make. Knows neither React nor the network. */
import type { Schemas } from "@/api/client";
import type { GivenRule, Policy, Rule, RuleType } from "@/api/policies";
import { parseMoney } from "@/lib/money";

import { ALL_DAYS, type Day, type Effect } from "./words";

/** A number field may be empty while one types. */
export type Count = number | "";
export type Unit = "second" | "minute" | "hour" | "day";
export type Is = Schemas["Comparison"]["is"];
export type Role = Schemas["Role"];

export interface PanelValues {
  role: Role | "none";
  users: string[];
  requester: boolean;
  quorum: Count;
  four_eyes: boolean;
}

export interface AskValues {
  panels: PanelValues[];
  span: Count;
  unit: Unit;
  on_expiry: "reject" | "approve";
  grants: boolean;
}

export interface Where {
  argument: string;
  is: Is;
  value: string;
  list: string[];
}

/** The fields of every kind of rule, so that turning from one to another loses nothing. */
export interface Values {
  name: string;
  enabled: boolean;
  priority: number;
  type: RuleType;
  scope: { agents: string[]; channels: string[]; tools: string[]; effects: Effect[] };
  tool: {
    limited: boolean; only: string[]; never: string[]; actions: "any" | "only"; allowed: string[]; denied: string[]; calls: Count;
  };
  content: { patterns: string; topics: { name: string; words: string[] }[]; detect: Schemas["PersonalData"][]; region: string; then: "block" | "redact" | "ask" };
  ask: AskValues;
  approval: { categories: string[]; where: Where[]; cost_above: string };
  model: { models: string[] };
  egress: { hosts: string[] };
  time: { days: Day[]; start: string; end: string; time_zone: string };
  trigger: { loosest: Schemas["TriggerMode"] };
  depth: { max: Count };
  cost: { per: CostPer; period: Period; limit: string; warn_at: string[]; time_zone: string };
  rate: { per: RatePer; of: "calls" | "tokens"; about: "model" | "tool"; strategy: Strategy; amount: Count; span: Count; unit: Unit; burst: Count };
} // prettier-ignore

type Of<T extends RuleType> = Extract<Rule, { type: T }>;
export type CostPer = Of<"cost_limit">["per"];
export type Period = Of<"cost_limit">["period"];
export type RatePer = Of<"rate_limit">["per"];
type Strategy = Of<"rate_limit">["strategy"];

const MICRO = 1_000_000;
export const SECONDS: Record<Unit, number> = { second: 1, minute: 60, hour: 3600, day: 86_400 };

export const BLANK_PANEL: PanelValues = { role: "admin", users: [], requester: false, quorum: 1, four_eyes: false };

export function blank(type: RuleType, zone: string): Values {
  return {
    name: "",
    enabled: true,
    priority: 100,
    type,
    scope: { agents: [], channels: [], tools: [], effects: [] },
    tool: { limited: false, only: [], never: [], actions: "any", allowed: [], denied: [], calls: "" },
    content: { patterns: "", topics: [], detect: [], region: "", then: "block" },
    ask: { panels: [BLANK_PANEL], span: 1, unit: "day", on_expiry: "reject", grants: true },
    approval: { categories: [], where: [], cost_above: "" },
    model: { models: [] },
    egress: { hosts: [] },
    time: { days: ["mon", "tue", "wed", "thu", "fri"], start: "08:00", end: "18:00", time_zone: zone },
    trigger: { loosest: "mention" },
    depth: { max: 1 },
    cost: { per: "account", period: "month", limit: "", warn_at: ["80"], time_zone: zone },
    rate: { per: "account", of: "calls", about: "tool", strategy: "token_bucket", amount: "", span: 1, unit: "minute", burst: "" },
  };
}

// ── from a rule ────────────────────────────────────────────────────────────────────────────────────────────────────

export interface Content {
  name: string;
  enabled: boolean;
  priority: number;
  rule: Rule;
}

export function contentOf(policy: Policy): Content | null {
  const { name, enabled, priority, rule } = policy;
  return rule ? { name, enabled, priority, rule } : null;
}

export function fromContent({ name, enabled, priority, rule }: Content, zone: string): Values {
  const values = { ...blank(rule.type, zone), name, enabled, priority };
  const { agents, channels, tools, effects } = rule.scope;
  return { ...values, scope: { agents, channels, tools, effects }, ...ofRule(rule, values) };
}

function ofRule(rule: Rule, values: Values): Partial<Values> {
  switch (rule.type) {
    case "tool_restriction":
      return {
        tool: {
          limited: rule.only !== null, only: rule.only ?? [], never: rule.never,
          actions: rule.allowed_actions === null ? "any" : "only", allowed: rule.allowed_actions ?? [],
          denied: rule.denied_actions, calls: rule.max_calls_per_interaction ?? "",
        },
      }; // prettier-ignore
    case "content_restriction": {
      const { patterns, topics, detect, region, then } = rule;
      return { content: { patterns: patterns.join("\n"), topics, detect, region: region ?? "", then }, ask: askValues(rule.ask) };
    }
    case "approval": {
      const { categories, where, cost_above_micro: cost } = rule;
      return { approval: { categories, where: where.map(whereValues), cost_above: dollars(cost) }, ask: askValues(rule.ask) };
    }
    case "model_allow_list":
      return { model: { models: rule.models } };
    case "network_egress":
      return { egress: { hosts: rule.hosts } };
    case "time_window":
      return { time: { days: rule.days, start: rule.start.slice(0, 5), end: rule.end.slice(0, 5), time_zone: rule.time_zone } };
    case "trigger_mode_restriction":
      return { trigger: { loosest: rule.loosest } };
    case "delegation_depth":
      return { depth: { max: rule.max } };
    case "cost_limit": {
      const { per, period, limit_micro, warn_at, time_zone } = rule;
      return { cost: { per, period, limit: dollars(limit_micro), warn_at: warn_at.map(String), time_zone } };
    }
    case "rate_limit": {
      const { per, of, about, strategy, amount, burst } = rule;
      return { rate: { ...values.rate, per, of, about, strategy, amount, ...spanOf(rule.seconds), burst: burst ?? "" } };
    }
  }
}

function dollars(micro: number | null): string {
  return micro === null ? "" : String(micro / MICRO);
}

function spanOf(seconds: number): { span: number; unit: Unit } {
  const unit = (["day", "hour", "minute"] as const).find((one) => seconds % SECONDS[one] === 0) ?? "second";
  return { span: seconds / SECONDS[unit], unit };
}

function askValues({ panels, expires_seconds, on_expiry, grants }: Schemas["Ask"]): AskValues {
  return { panels: panels.map(panelValues), ...spanOf(expires_seconds), on_expiry, grants };
}

export function panelValues(panel: Schemas["Panel"]): PanelValues {
  return { ...panel, role: panel.role ?? "none" };
}

function whereValues({ argument, is, value }: Schemas["Comparison"]): Where {
  return Array.isArray(value) ? { argument, is, value: "", list: value } : { argument, is, value: typed(value), list: [] };
}

/** Text that would be read as something else stands in quotes. */
function typed(value: boolean | number | string): string {
  if (typeof value !== "string") return String(value);
  return read(value) === value ? value : JSON.stringify(value);
}

function read(text: string): boolean | number | string {
  const plain = text.trim();
  if (plain === "true" || plain === "false") return plain === "true";
  if (plain !== "" && Number.isFinite(Number(plain))) return Number(plain);
  if (/^".*"$/s.test(plain)) {
    try {
      return String(JSON.parse(plain));
    } catch {
      return text;
    }
  }
  return text;
}

// ── to a rule ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** The rule that the values make. Call with values that `check` finds nothing wrong with. */
export function toRule(values: Values): GivenRule {
  return { ...made(values), scope: scopeOf(values) };
}

/** What is asked of a rule about models cannot be narrowed to tools. */
function scopeOf({ type, scope, rate }: Values): Schemas["RuleScope"] {
  return hasTools(type, rate.about) ? scope : { ...scope, tools: [], effects: [] };
}

/** Whether a rule of this kind can apply to some tools only. */
export function hasTools(type: RuleType, about: "model" | "tool"): boolean {
  if (type === "rate_limit") return about === "tool";
  return type !== "model_allow_list" && type !== "trigger_mode_restriction";
}

function made(values: Values): GivenRule {
  const { type } = values;
  switch (type) {
    case "tool_restriction": {
      const { limited, only, never, actions, allowed, denied, calls } = values.tool;
      return {
        type, only: limited ? only : null, never, allowed_actions: actions === "only" ? allowed : null, denied_actions: denied,
        max_calls_per_interaction: numberOr(calls, null),
      }; // prettier-ignore
    }
    case "content_restriction": {
      const { patterns, topics, detect, region, then } = values.content;
      return { type, patterns: lines(patterns), topics, detect, region: region.trim().toUpperCase() || null, then, ask: toAsk(values.ask) };
    }
    case "approval": {
      const { categories, where, cost_above } = values.approval;
      const cost = cost_above.trim() === "" ? null : parseMoney(cost_above);
      return { type, categories, where: where.map(toComparison), cost_above_micro: cost, ask: toAsk(values.ask) };
    }
    case "model_allow_list":
      return { type, models: values.model.models };
    case "network_egress":
      return { type, hosts: values.egress.hosts.map((host) => host.trim().toLowerCase()) };
    case "time_window":
      return { type, ...values.time, days: ALL_DAYS.filter((day) => values.time.days.includes(day)) };
    case "trigger_mode_restriction":
      return { type, loosest: values.trigger.loosest };
    case "delegation_depth":
      return { type, max: numberOr(values.depth.max, 0) };
    case "cost_limit": {
      const { per, period, limit, warn_at, time_zone } = values.cost;
      const whole = per === "interaction" || per === "delegation";
      return { type, per, period: whole ? "total" : period, limit_micro: parseMoney(limit) ?? 0, warn_at: percents(warn_at), time_zone };
    }
    case "rate_limit":
      return toRate(values);
  }
}

function toRate({ type, rate }: Values): GivenRule {
  const { per, of, about, strategy, amount, span, unit, burst } = rate;
  return {
    type: type as "rate_limit", per, of, about: of === "tokens" ? "model" : per === "tool" ? "tool" : about, strategy,
    amount: numberOr(amount, 1), seconds: numberOr(span, 1) * SECONDS[unit],
    burst: strategy === "token_bucket" ? numberOr(burst, null) : null,
  }; // prettier-ignore
}

function numberOr<T>(value: Count, other: T): number | T {
  return value === "" ? other : value;
}

function lines(text: string): string[] {
  return text.split("\n").map((line) => line.trim()).filter(Boolean); // prettier-ignore
}

function percents(list: readonly string[]): number[] {
  return list.map((one) => Number(one.replace("%", ""))).filter(Number.isFinite).sort((a, b) => a - b); // prettier-ignore
}

function toAsk({ panels, span, unit, on_expiry, grants }: AskValues): Schemas["AskInput"] {
  return { panels: panels.map(toPanel), expires_seconds: numberOr(span, 1) * SECONDS[unit], on_expiry, grants };
}

export function toPanel({ role, users, requester, quorum, four_eyes }: PanelValues): Schemas["Panel"] {
  return { role: role === "none" ? null : role, users, requester: requester && !four_eyes, quorum: numberOr(quorum, 1), four_eyes };
}

function toComparison({ argument, is, value, list }: Where): Schemas["Comparison"] {
  const plain = argument.trim();
  if (is === "one_of" || is === "not_one_of") return { argument: plain, is, value: list };
  if (is === "above") return { argument: plain, is, value: Number(value.trim().replace(",", ".")) };
  return { argument: plain, is, value: is === "matches" ? value : read(value) };
}
