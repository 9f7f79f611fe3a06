/** Policies in words: what each kind is for, and what one means in a line. Pure. */
import type { Policy, Rule, RuleType } from "@/api/policies";
import type { Schemas } from "@/api/client";
import { count, label, names as listed, plural } from "@/lib/format";
import { money } from "@/lib/money";
import { deciders, foundWords, spanWords } from "@/lib/verdicts";

export interface Names {
  agent: (id: string) => string | undefined;
  channel: (id: string) => string | undefined;
  person: (id: string) => string | undefined;
  team: (id: string) => string | undefined;
}

export type Layer = Policy["layer"];
export type Effect = Schemas["Effect"];
export type Day = Extract<Rule, { type: "time_window" }>["days"][number];

export const TYPES: Record<RuleType, { label: string; help: string }> = {
  tool_restriction: { label: "Tools", help: "Which tools may be used, for what, and how often." },
  approval: { label: "Approval", help: "What a person approves before it is done." },
  content_restriction: { label: "Content", help: "What may not be sent or said: patterns, topics, personal data." },
  cost_limit: { label: "Spending", help: "How much may be spent in a day, a week, a month or at all." },
  rate_limit: { label: "Rate", help: "How many calls or tokens in a time." },
  model_allow_list: { label: "Models", help: "Which language models may be used." },
  network_egress: { label: "Hosts", help: "Where on the network calls of tools may go." },
  time_window: { label: "Hours", help: "On which days, and from when to when, agents may act." },
  trigger_mode_restriction: { label: "Starting", help: "Whether agents may work without being addressed." },
  delegation_depth: { label: "Delegation", help: "How often work may be passed on from agent to agent." },
};

export const RULE_TYPES = Object.keys(TYPES) as RuleType[];

export const EFFECTS: Record<Effect, string> = {
  read: "Reading",
  write: "Changing data here",
  external_keyed: "Acting outside, safe to repeat",
  external_once: "Acting outside, never repeated",
};

export const DETECT: Record<Schemas["PersonalData"], string> = {
  email: "E-mail addresses",
  phone: "Phone numbers",
  card: "Card numbers",
  iban: "Bank accounts",
  ip_address: "IP addresses",
  url_credentials: "Passwords in addresses",
};

export const DAYS: Record<Day, { short: string; long: string }> = {
  mon: { short: "Mon", long: "Monday" },
  tue: { short: "Tue", long: "Tuesday" },
  wed: { short: "Wed", long: "Wednesday" },
  thu: { short: "Thu", long: "Thursday" },
  fri: { short: "Fri", long: "Friday" },
  sat: { short: "Sat", long: "Saturday" },
  sun: { short: "Sun", long: "Sunday" },
};
export const ALL_DAYS = Object.keys(DAYS) as Day[];

/** Whose policy it is: "Account", "Team Sales", "Yours". */
export function placeWords({ layer, team_id }: Pick<Policy, "layer" | "team_id">, names: Names): string {
  if (layer === "account") return "Account";
  return layer === "user" ? "Yours" : `Team ${names.team(team_id ?? "") ?? "that is gone"}`;
}

/** "a, b or c". */
function either(list: readonly string[]): string {
  return list.length <= 1 ? (list[0] ?? "") : `${list.slice(0, -1).join(", ")} or ${list.at(-1) ?? ""}`;
}

function all(list: readonly string[]): string {
  return listed(list, 4);
}

/** A tool's name, or a pattern as it is. */
export function toolWords(pattern: string): string {
  return pattern === "*" ? "any tool" : pattern.includes("*") ? pattern : label(pattern);
}

// ── one line ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** What the policy means, in one line. */
export function meaning(policy: Pick<Policy, "rule">, names: Names): string {
  const { rule } = policy;
  if (!rule) return "Can't be read by this version. Everything it rules over is refused until it is written anew or removed.";
  return ruleWords(rule, names);
}

export function ruleWords(rule: Rule, names: Names): string {
  const scope = scopeWords(rule.scope, names);
  return scope ? `${plain(rule, names)} ${scope}` : plain(rule, names);
}

function plain(rule: Rule, names: Names): string {
  switch (rule.type) {
    case "tool_restriction":
      return ofTools(rule);
    case "approval":
      return ofApproval(rule, names);
    case "content_restriction":
      return ofContent(rule, names);
    case "cost_limit":
      return `At most ${money({ amount_micro: rule.limit_micro, currency: rule.currency })} ${PERIODS[rule.period]} ${ofEach(rule.per)}`.trim();
    case "rate_limit":
      return `At most ${count(rule.amount)} ${rule.of === "tokens" ? "tokens" : `calls of ${rule.about}s`} in ${spanWords(rule.seconds)} ${ofEach(rule.per)}`.trim();
    case "model_allow_list":
      return rule.models.length > 0 ? `Only ${all(rule.models)}` : "No model at all";
    case "network_egress":
      return rule.hosts.length > 0 ? `Only to ${all(rule.hosts)}` : "To no host at all";
    case "time_window":
      return `${rule.days.length === 7 ? "Every day" : `Only ${daysWords(rule.days)}`}${hoursWords(rule)}`;
    case "trigger_mode_restriction":
      return rule.loosest === "proactive" ? "Agents may speak up by themselves" : "Agents work only when they are addressed";
    case "delegation_depth":
      return rule.max === 0 ? "Work is never passed on" : `Work is passed on at most ${rule.max === 1 ? "once" : plural(rule.max, "time")}`;
  } // prettier-ignore
}

const PERIODS = { day: "a day", week: "a week", month: "a month", total: "in all" };

function ofEach(per: string): string {
  if (per === "account") return "";
  return `for each ${{ user: "person", interaction: "turn", delegation: "delegated turn" }[per] ?? per}`;
}

type Of<T extends RuleType> = Extract<Rule, { type: T }>;

function ofTools(rule: Of<"tool_restriction">): string {
  const actions = rule.allowed_actions;
  const parts = [
    rule.only ? (rule.only.length > 0 ? `only ${all(rule.only.map(toolWords))}` : "no tool at all") : "",
    rule.never.length > 0 ? `never ${either(rule.never.map(toolWords))}` : "",
    actions ? (actions.length > 0 ? `only for ${either(actions)}` : "for no action") : "",
    rule.denied_actions.length > 0 ? `never for ${either(rule.denied_actions)}` : "",
    rule.max_calls_per_interaction !== null ? `each at most ${times(rule.max_calls_per_interaction)} in one turn` : "",
  ].filter(Boolean);
  return parts.length > 0 ? capital(parts.join(", ")) : "Any tool";
}

function times(value: number): string {
  return value === 1 ? "once" : plural(value, "time");
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const IS: Record<Schemas["Comparison"]["is"], string> = {
  above: "is above",
  equal: "is",
  one_of: "is one of",
  not_one_of: "is none of",
  matches: "is like",
};

export const COMPARISONS = Object.entries(IS).map(([value, words]) => ({ value: value as Schemas["Comparison"]["is"], label: words }));

function ofApproval(rule: Of<"approval">, names: Names): string {
  const who = capital(rule.ask.panels.map((panel) => deciders(panel, names.person)).join(", and "));
  const one = rule.ask.panels.length === 1 && rule.ask.panels[0]?.quorum === 1;
  const what = rule.categories.length > 0 ? either(rule.categories.map((word) => label(word).toLowerCase())) : "every call";
  const where = rule.where.map(({ argument, is, value }) => `${argument} ${IS[is]} ${Array.isArray(value) ? value.join(", ") : String(value)}`);
  const cost = rule.cost_above_micro;
  const more = [...where, ...(cost === null ? [] : [`it may cost more than ${money({ amount_micro: cost, currency: "USD" })}`])];
  return `${who} ${one ? "approves" : "approve"} ${what}${more.length > 0 ? ` where ${more.join(" and ")}` : ""}`;
}

const THEN = { block: "Blocks", redact: "Takes out", ask: "Asks about" };

function ofContent(rule: Of<"content_restriction">, names: Names): string {
  const what = [
    ...(rule.detect.length > 0 ? [foundWords(rule.detect)] : []),
    ...(rule.topics.length > 0 ? [`${rule.topics.length === 1 ? "the topic" : "the topics"} ${all(rule.topics.map((topic) => topic.name))}`] : []),
    ...(rule.patterns.length > 0 ? [plural(rule.patterns.length, "pattern")] : []),
  ];
  const who = rule.then === "ask" ? `, ${rule.ask.panels.map((panel) => deciders(panel, names.person)).join(" and ")} decides` : "";
  return `${THEN[rule.then]} ${what.join("; ")}${who}`;
}

function daysWords(days: readonly Day[]): string {
  const at = ALL_DAYS.map((day) => days.includes(day));
  if (days.length === 0) return "never";
  const runs: string[] = [];
  for (let from = 0; from < at.length; from += 1) {
    if (!at[from]) continue;
    let to = from;
    while (at[to + 1]) to += 1;
    runs.push(runOf(from, to));
    from = to;
  }
  return listed(runs, runs.length);
}

function runOf(from: number, to: number): string {
  const [first, last] = [ALL_DAYS[from], ALL_DAYS[to]];
  if (!first || !last) return "";
  if (to === from) return DAYS[first].long;
  return to === from + 1 ? `${DAYS[first].long}, ${DAYS[last].long}` : `${DAYS[first].long} to ${DAYS[last].long}`;
}

function hoursWords({ start, end, time_zone, days }: Of<"time_window">): string {
  if (days.length === 0) return "";
  const [from, to] = [start.slice(0, 5), end.slice(0, 5)];
  return from === to ? ` (${time_zone})` : `, ${from} to ${to} (${time_zone})`;
}

// ── where it applies ───────────────────────────────────────────────────────────────────────────────────────────────

/** "for Ada's agent and Ledger, in general, with Send email"; empty where it applies to everything. */
export function scopeWords(scope: Schemas["RuleScope"], names: Names): string {
  const agents = scope.agents.map((id) => names.agent(id) ?? "an agent that is gone");
  const channels = scope.channels.map((id) => names.channel(id) ?? "a channel you are not in");
  const parts = [
    agents.length > 0 ? `for ${all(agents)}` : "",
    channels.length > 0 ? `in ${either(channels)}` : "",
    scope.tools.length > 0 ? `with ${either(scope.tools.map(toolWords))}` : "",
    scope.effects.length > 0 ? `when ${either(doing(scope.effects))}` : "",
  ].filter(Boolean);
  return parts.join(", ");
}

function doing(effects: readonly Effect[]): string[] {
  const outside = effects.includes("external_keyed") && effects.includes("external_once");
  const rest = effects.filter((effect) => !outside || !effect.startsWith("external"));
  return [...rest.map((effect) => EFFECTS[effect].toLowerCase()), ...(outside ? ["acting outside"] : [])];
}
