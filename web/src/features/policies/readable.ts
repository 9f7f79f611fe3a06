/** Whether a rule that somebody wrote as text can stand in the form: every field known and of its kind. Pure. */
import type { Rule, RuleType } from "@/api/policies";
import type { Tree } from "./documents";
import { RULE_TYPES } from "./words";

type Kind = (value: unknown) => boolean;
type Shape = Record<string, readonly [kind: Kind, otherwise?: unknown]>;

const text: Kind = (value) => typeof value === "string";
const number: Kind = (value) => typeof value === "number";
const flag: Kind = (value) => typeof value === "boolean";
const texts: Kind = (value) => Array.isArray(value) && value.every(text);
const numbers: Kind = (value) => Array.isArray(value) && value.every(number);
const orNull =
  (kind: Kind): Kind =>
  (value) =>
    value === null || kind(value);
const oneOf =
  (...words: readonly string[]): Kind =>
  (value) =>
    typeof value === "string" && words.includes(value);

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const SCOPE: Shape = { agents: [texts, []], channels: [texts, []], tools: [texts, []], effects: [texts, []] };
const PANEL: Shape = {
  role: [orNull(oneOf("member", "lead", "admin", "owner")), "admin"], users: [texts, []], requester: [flag, false],
  quorum: [number, 1], four_eyes: [flag, false],
}; // prettier-ignore
const ASK: Shape = {
  panels: [(value) => Array.isArray(value) && value.length > 0], expires_seconds: [number, 86_400],
  on_expiry: [oneOf("reject", "approve"), "reject"], grants: [flag, true],
}; // prettier-ignore
const WHERE: Shape = {
  argument: [text],
  is: [oneOf("above", "equal", "one_of", "not_one_of", "matches")],
  value: [(value) => text(value) || number(value) || flag(value) || texts(value)],
};
const TOPIC: Shape = { name: [text], words: [texts] };
const USUAL_ASK = { panels: [{}] };

const any: Kind = () => true;
const SHAPES: Record<RuleType, Shape> = {
  tool_restriction: {
    only: [orNull(texts), null], never: [texts, []], allowed_actions: [orNull(texts), null], denied_actions: [texts, []],
    max_calls_per_interaction: [orNull(number), null],
  },
  content_restriction: {
    patterns: [texts, []], topics: [Array.isArray, []], detect: [texts, []], region: [orNull(text), null],
    then: [oneOf("block", "redact", "ask"), "block"], ask: [any, USUAL_ASK],
  },
  approval: { categories: [texts, []], where: [Array.isArray, []], cost_above_micro: [orNull(number), null], ask: [any] },
  model_allow_list: { models: [texts] },
  network_egress: { hosts: [texts] },
  time_window: {
    days: [texts, ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]], start: [text, "00:00"], end: [text, "00:00"],
    time_zone: [text, "UTC"],
  },
  trigger_mode_restriction: { loosest: [oneOf("silent", "mention", "proactive")] },
  delegation_depth: { max: [number] },
  cost_limit: {
    per: [oneOf("account", "team", "user", "agent", "interaction", "delegation"), "account"],
    period: [oneOf("day", "week", "month", "total"), "month"], limit_micro: [number], currency: [oneOf("USD"), "USD"],
    warn_at: [numbers, [80]], time_zone: [text, "UTC"],
  },
  rate_limit: {
    per: [oneOf("account", "user", "agent", "tool"), "account"], of: [oneOf("calls", "tokens"), "calls"],
    about: [oneOf("model", "tool"), "tool"], strategy: [oneOf("token_bucket", "fixed_window"), "token_bucket"],
    amount: [number], seconds: [number], burst: [orNull(number), null],
  },
}; // prettier-ignore

/** The rule, whole; null for one that the form would lose something of. */
export function readable(rule: Tree): Rule | null {
  const type = RULE_TYPES.find((one) => one === rule["type"]);
  if (!type) return null;
  const { scope = {}, ...rest } = Object.fromEntries(Object.entries(rule).filter(([key]) => key !== "type"));
  const [narrowed, whole] = [filled(scope, SCOPE), filled(rest, SHAPES[type])];
  if (!narrowed || !whole) return null;
  if ("ask" in whole && !(whole["ask"] = asked(whole["ask"]))) return null;
  if ("where" in whole && !(whole["where"] = each(whole["where"], WHERE))) return null;
  if ("topics" in whole && !(whole["topics"] = each(whole["topics"], TOPIC))) return null;
  return { type, scope: narrowed, ...whole } as unknown as Rule;
}

function asked(value: unknown): Tree | null {
  const ask = filled(value, ASK);
  const panels = ask && each(ask["panels"], PANEL);
  return ask && panels ? { ...ask, panels } : null;
}

function each(list: unknown, shape: Shape): Tree[] | null {
  const found = (list as unknown[]).map((one) => filled(one, shape));
  return found.every((one) => one !== null) ? found : null;
}

/** With what goes without saying; null where a field is missing, unknown or of another kind. */
function filled(value: unknown, shape: Shape): Tree | null {
  if (!isTree(value) || Object.keys(value).some((key) => !(key in shape))) return null;
  const whole: Tree = {};
  for (const [key, [kind, otherwise]] of Object.entries(shape)) {
    const found = key in value ? value[key] : otherwise;
    if (found === undefined || !kind(found)) return null;
    whole[key] = found;
  }
  return whole;
}
