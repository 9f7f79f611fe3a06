/** What the addresses carry behind the question mark, read without trust. Unknown or odd values are left out. */

type Raw = Record<string, unknown>;

function text(raw: Raw, name: string, limit = 200): string | undefined {
  const value = raw[name];
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" && value.length <= limit ? value : undefined;
}

function oneOf<T extends string>(raw: Raw, name: string, words: readonly T[]): T | undefined {
  return words.find((word) => word === raw[name]);
}

/** Without the names that have no value, so that addresses stay short. */
function given<T extends object>(found: T): T {
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined)) as T;
}

export interface SignInSearch {
  token?: string;
  return_to?: string;
}

export function signIn(raw: Raw): SignInSearch {
  return given({ token: text(raw, "token"), return_to: ownPath(text(raw, "return_to", 1000)) });
}

/** What the sign-in page is told of where one was going; nothing for the start, where it goes anyway. */
export function comingFrom(href: string): SignInSearch {
  return href === "/" ? {} : { return_to: href };
}

/** The path if it stays here: browsers take `//host` and `/\host` for another one. */
export function ownPath(path: string | undefined): string | undefined {
  if (!path?.startsWith("/") || path.startsWith("//") || path.includes("\\")) return undefined;
  return path.startsWith("/sign-in") ? undefined : path;
}

export interface ChannelSearch {
  message?: string;
  thread?: string;
  panel?: "details" | "members";
}

export function channel(raw: Raw): ChannelSearch {
  return given({
    message: text(raw, "message"),
    thread: text(raw, "thread"),
    panel: oneOf(raw, "panel", ["details", "members"] as const),
  });
}

const ACTIVITY = ["state", "agent_id", "channel_id", "user_id", "since", "until", "min_cost", "tool", "q", "sort", "open"] as const;

export type ActivitySearch = Partial<Record<(typeof ACTIVITY)[number], string>>;

export function activity(raw: Raw): ActivitySearch {
  return given(Object.fromEntries(ACTIVITY.map((name) => [name, text(raw, name)])));
}

const AUDIT = ["event", "actor", "interaction_id", "since", "until", "line"] as const;

export type AuditSearch = Partial<Record<(typeof AUDIT)[number], string>>;

export function audit(raw: Raw): AuditSearch {
  return given(Object.fromEntries(AUDIT.map((name) => [name, text(raw, name)])));
}

const USAGE = ["span", "from", "to", "agent_id", "user_id", "model", "budget"] as const;

export type UsageSearch = Partial<Record<(typeof USAGE)[number], string>> & { by?: "agent" | "model" | "team" | "user" | "tool" };

export function usage(raw: Raw): UsageSearch {
  const by = oneOf(raw, "by", ["agent", "model", "team", "user", "tool"] as const);
  return given({ by, ...Object.fromEntries(USAGE.map((name) => [name, text(raw, name)])) });
}

export interface ApprovalsSearch {
  tab?: "asked" | "standing";
}

export function approvals(raw: Raw): ApprovalsSearch {
  return given({ tab: oneOf(raw, "tab", ["asked", "standing"] as const) });
}

export interface InteractionSearch {
  step?: number;
}

export function interaction(raw: Raw): InteractionSearch {
  const step = Number(raw["step"]);
  return Number.isSafeInteger(step) && step >= 0 && raw["step"] !== "" ? { step } : {};
}

export interface PolicySearch {
  layer?: "account" | "team" | "user";
  team?: string;
  type?: string;
}

/** Where a new policy is to stand, and of which kind it is. */
export function policy(raw: Raw): PolicySearch {
  return given({ layer: oneOf(raw, "layer", ["account", "team", "user"] as const), team: text(raw, "team"), type: text(raw, "type") });
}

const EXPLAIN = ["agent", "tool", "model", "user", "channel", "at"] as const;

export type ExplainSearch = Partial<Record<(typeof EXPLAIN)[number] | "args", string>>;

/** A call that is asked about: its arguments stand in the address as JSON. */
export function explain(raw: Raw): ExplainSearch {
  const args = raw["args"];
  const plain = typeof args === "object" && args !== null ? JSON.stringify(args) : text(raw, "args", 4000);
  return given({ ...Object.fromEntries(EXPLAIN.map((name) => [name, text(raw, name)])), args: plain });
}

export interface NewSearch {
  new?: boolean;
}

export function maybeNew(raw: Raw): NewSearch {
  return raw["new"] === true || raw["new"] === "true" || raw["new"] === 1 ? { new: true } : {};
}
