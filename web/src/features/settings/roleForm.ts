/** The form of a worker role: its values, what is wrong with them, and what is sent. Knows neither React nor the network. */
import type { NewRole, WorkerRole } from "@/api/roles";
import type { Schemas } from "@/api/client";
import { plural } from "@/lib/format";
import { money, parseMoney } from "@/lib/money";

export type Tier = Schemas["AutonomyTier"];
type Environment = Schemas["Environment"];
type Condition = Schemas["Condition"];
type Count = number | "";
const MICRO = 1_000_000;

export const TIERS: Record<Tier, { label: string; help: string }> = {
  advisory: { label: "Only advises", help: "May look things up and recommend; no tool that changes anything." },
  retrieval: { label: "Only reads", help: "Nothing but tools that look things up." },
  approval_required: { label: "Asks first", help: "A person approves every call that changes anything." },
  bounded_autonomous: { label: "Free within bounds", help: "Works alone as far as the bounds below go." },
};

export const ENVIRONMENTS: Record<Environment, string> = {
  platform: "Retinue’s own data",
  network: "The world outside: endpoints, mail, the web",
  mcp: "MCP servers",
  agents: "Other agents",
};

/** A list that may not be there at all: then nothing is narrowed. */
interface Only {
  on: boolean;
  list: string[];
}

export interface RuleValues {
  key: string;
  tools: string[];
  categories: string[];
  spent: string;
  calls: Count;
  action: "ask" | "deny";
  /** What this form does not show of the condition; kept as it is. */
  rest: Condition;
}

export interface RoleValues {
  name: string;
  description: string;
  tier: Tier;
  allow: Only;
  deny: string[];
  reads: Only;
  writes: Only;
  places: { on: boolean; list: Environment[] };
  spend: string;
  minutes: Count;
  steps: Count;
  threshold: string;
  approver: Schemas["Role"] | "nobody";
  users: string[];
  requester: boolean;
  four_eyes: boolean;
  quorum: Count;
  rules: RuleValues[];
}

type NewRoleParts = Omit<WorkerRole, "id" | "agents" | "created_at" | "updated_at">;

const NO_CONDITION: Condition = {
  tools: [], categories: [], effects: [], where: [], spent_above_micro: null, seconds_above: null, calls_above: null,
}; // prettier-ignore

let made = 0;

export function newRule(): RuleValues {
  made += 1;
  return { key: `rule ${made}`, tools: [], categories: [], spent: "", calls: "", action: "ask", rest: NO_CONDITION };
}

function only<T extends string>(list: readonly T[] | null): { on: boolean; list: T[] } {
  return { on: list !== null, list: [...(list ?? [])] };
}

function dollars(micro: number | null): string {
  return micro === null ? "" : String(micro / MICRO);
}

/** What a new role begins as. */
const BLANK: NewRoleParts = {
  name: "",
  description: "",
  autonomy_tier: "approval_required",
  scope: { tools_allow: null, tools_deny: [], data_access: null, write_access: null, environment_access: null },
  authority_bounds: {
    max_spend_micro: null, max_seconds: null, max_concurrent_steps: null, escalation_threshold_micro: null, escalation_confidence: null,
    approvers: { role: "admin", users: [], requester: false, quorum: 1, four_eyes: false },
  },
  escalation_rules: [],
}; // prettier-ignore

export function valuesOf(role: WorkerRole | null): RoleValues {
  const { scope, authority_bounds: bounds, ...rest } = role ?? BLANK;
  const panel = bounds.approvers;
  return {
    name: rest.name,
    description: rest.description,
    tier: rest.autonomy_tier,
    allow: only(scope.tools_allow),
    deny: [...scope.tools_deny],
    reads: only(scope.data_access),
    writes: only(scope.write_access),
    places: only(scope.environment_access),
    spend: dollars(bounds.max_spend_micro),
    minutes: bounds.max_seconds === null ? "" : Math.round((bounds.max_seconds / 60) * 100) / 100,
    steps: bounds.max_concurrent_steps ?? "",
    threshold: dollars(bounds.escalation_threshold_micro),
    approver: panel.role ?? "nobody",
    users: [...panel.users],
    requester: panel.requester,
    four_eyes: panel.four_eyes,
    quorum: panel.quorum,
    rules: rest.escalation_rules.map(({ condition, action }) => ({
      ...newRule(),
      tools: [...condition.tools],
      categories: [...condition.categories],
      spent: dollars(condition.spent_above_micro),
      calls: condition.calls_above ?? "",
      action,
      rest: condition,
    })),
  };
}

/** What the server takes. Call with values that `check` finds nothing wrong with. */
export function toRole(values: RoleValues, before: WorkerRole | null): NewRole {
  const list = <T extends string>({ on, list: chosen }: { on: boolean; list: T[] }) => (on ? chosen : null);
  const micro = (text: string) => (text.trim() === "" ? null : parseMoney(text));
  return {
    name: values.name.trim(),
    description: values.description.trim(),
    autonomy_tier: values.tier,
    scope: {
      tools_allow: list(values.allow),
      tools_deny: values.deny,
      data_access: list(values.reads),
      write_access: list(values.writes),
      environment_access: list(values.places),
    },
    authority_bounds: {
      max_spend_micro: micro(values.spend),
      max_seconds: values.minutes === "" ? null : Math.max(1, Math.round(values.minutes * 60)),
      max_concurrent_steps: values.steps === "" ? null : values.steps,
      escalation_threshold_micro: micro(values.threshold),
      escalation_confidence: before?.authority_bounds.escalation_confidence ?? null,
      approvers: {
        role: values.approver === "nobody" ? null : values.approver,
        users: values.users,
        requester: values.requester,
        four_eyes: values.four_eyes,
        quorum: values.quorum === "" ? 1 : values.quorum,
      },
    },
    escalation_rules: values.rules.map((rule) => ({
      action: rule.action,
      condition: {
        ...rule.rest,
        tools: rule.tools,
        categories: rule.categories,
        spent_above_micro: micro(rule.spent),
        calls_above: rule.calls === "" ? null : rule.calls,
      },
    })),
  };
}

const TOOL = /^[A-Za-z0-9_*-]{1,64}$/;
const CATEGORY = /^[a-z][a-z0-9_]{0,62}$/;

/** What is wrong, by field; empty when all is well. The server checks again. */
export function check(values: RoleValues): Record<string, string> {
  const found: Record<string, string> = {};
  const need = (field: string, ok: boolean, words: string) => {
    if (!ok) found[field] = words;
  };
  const tools = (list: readonly string[]) => list.every((one) => TOOL.test(one));
  const categories = (list: readonly string[]) => list.every((one) => CATEGORY.test(one));
  const amount = (text: string) => text.trim() === "" || parseMoney(text) !== null;
  need("name", values.name.trim() !== "", "Give the role a name.");
  need("allow", tools(values.allow.list), "Use names of tools; * stands for any letters.");
  need("deny", tools(values.deny), "Use names of tools; * stands for any letters.");
  need("reads", categories(values.reads.list), "Use small letters, digits and _, as in external_email.");
  need("writes", categories(values.writes.list), "Use small letters, digits and _, as in external_email.");
  need("spend", amount(values.spend), "Use an amount in dollars such as 0.50.");
  need("threshold", amount(values.threshold), "Use an amount in dollars such as 0.50.");
  need("users", values.approver !== "nobody" || values.users.length > 0 || values.requester, "Name somebody who decides.");
  values.rules.forEach((rule, at) => {
    const { rest } = rule;
    const other = rest.effects.length > 0 || rest.where.length > 0 || rest.seconds_above !== null;
    const says = rule.tools.length > 0 || rule.categories.length > 0 || rule.spent.trim() !== "" || rule.calls !== "" || other;
    need(`rules.${at}`, says, "Say when: tools, categories, or a number.");
    need(`rules.${at}`, !says || tools(rule.tools), "Use names of tools; * stands for any letters.");
    need(`rules.${at}`, !says || categories(rule.categories), "Use small letters, digits and _ for categories.");
    need(`rules.${at}`, !says || amount(rule.spent), "Use an amount in dollars such as 0.50.");
  });
  return found;
}

const FIELDS: readonly (readonly [string, string])[] = [
  ["name", "name"],
  ["description", "description"],
  ["scope.tools_allow", "allow"],
  ["scope.tools_deny", "deny"],
  ["scope.data_access", "reads"],
  ["scope.write_access", "writes"],
  ["scope.environment_access", "places"],
  ["authority_bounds.max_spend_micro", "spend"],
  ["authority_bounds.max_seconds", "minutes"],
  ["authority_bounds.max_concurrent_steps", "steps"],
  ["authority_bounds.escalation_threshold_micro", "threshold"],
  ["authority_bounds.approvers", "users"],
];

/** The server's reasons by the fields of this form; what belongs to none is under "". */
export function serverErrors(reasons: Record<string, string>): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [path, reason] of Object.entries(reasons)) {
    const rule = /^escalation_rules\.(\d+)/.exec(path);
    const field = rule ? `rules.${rule[1] ?? ""}` : FIELDS.find(([prefix]) => path.startsWith(prefix))?.[1];
    found[field ?? ""] ??= reason;
  }
  return found;
}

/** What a role takes away, in one line: "Only crm_*, at most $1.00 a turn". */
export function boundsWords({ scope, authority_bounds: bounds, escalation_rules: rules }: WorkerRole): string {
  const usd = (micro: number) => money({ amount_micro: micro, currency: "USD" });
  return [
    scope.tools_allow && (scope.tools_allow.length > 0 ? `only ${scope.tools_allow.join(", ")}` : "no tools"),
    scope.tools_deny.length > 0 && `not ${scope.tools_deny.join(", ")}`,
    bounds.max_spend_micro !== null && `at most ${usd(bounds.max_spend_micro)} a turn`,
    bounds.max_seconds !== null && `at most ${plural(Math.max(1, Math.round(bounds.max_seconds / 60)), "minute")} a turn`,
    rules.length > 0 && plural(rules.length, "rule"),
  ]
    .filter(Boolean)
    .join(", ");
}
