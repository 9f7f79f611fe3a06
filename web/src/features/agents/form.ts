/** The form of an agent: its values, what is wrong with them, and what is sent. Knows neither React nor the network. */
import type { Agent, AgentChange, AgentTool, NewAgent, ToolChoice } from "@/api/agents";
import type { Schemas } from "@/api/client";
import { parseMoney } from "@/lib/money";

export const NAME_MAX = 120;
export const PROMPT_MAX = 200_000;
export const DESCRIPTION_MAX = 20_000;
const HANDLE = /^[a-z0-9][a-z0-9_-]{0,62}$/;
const COLOUR = /^#[0-9a-f]{6}$/i;
const MICRO = 1_000_000;

/** A number field may be empty while one types. */
export type Count = number | "";

export interface AgentValues {
  name: string;
  slug: string;
  description: string;
  accent_colour: string;
  avatar: string;
  system_prompt: string;
  model: string;
  trust_level: Schemas["TrustLevel"];
  default_trigger_mode: Schemas["TriggerMode"];
  tools: ToolChoice[];
  limits: { max_steps: Count; max_minutes: Count; max_tokens: Count; max_cost: string; max_calls_per_tool: Count };
  context: { recent_messages: Count; text_search: boolean };
}

export const BLANK: AgentValues = {
  name: "",
  slug: "",
  description: "",
  accent_colour: "#4c6ef5",
  avatar: "",
  system_prompt: "",
  model: "",
  trust_level: "standard",
  default_trigger_mode: "mention",
  tools: [],
  limits: { max_steps: 10, max_minutes: 10, max_tokens: "", max_cost: "", max_calls_per_tool: "" },
  context: { recent_messages: 30, text_search: false },
};

/** The handle that a name gets when nobody chooses one; the same as the server makes. */
export function handleOf(name: string): string {
  const kept = name.toLowerCase().replace(/[^a-z0-9]+/g, " ").trim().split(/\s+/).join("-");
  return kept.slice(0, 55).replace(/^-+|-+$/g, "") || "agent";
}

export function fromAgent(agent: Agent, tools: readonly AgentTool[]): AgentValues {
  const { limits, context } = agent;
  return {
    name: agent.name,
    slug: agent.slug,
    description: agent.description,
    accent_colour: agent.accent_colour,
    avatar: agent.avatar ?? "",
    system_prompt: agent.system_prompt,
    model: agent.model ?? "",
    trust_level: agent.trust_level,
    default_trigger_mode: agent.default_trigger_mode,
    tools: tools.map(({ tool, enabled, config }) => ({ tool, enabled, config })),
    limits: {
      max_steps: limits.max_steps,
      max_minutes: Math.round((limits.max_seconds / 60) * 100) / 100,
      max_tokens: limits.max_tokens ?? "",
      max_cost: limits.max_cost_micro === null ? "" : String(limits.max_cost_micro / MICRO),
      max_calls_per_tool: limits.max_calls_per_tool ?? "",
    },
    context: { recent_messages: context.recent_messages, text_search: context.text_search },
  };
}

/** What the server takes for a new agent. Call with values that `check` finds nothing wrong with. */
export function toNew(values: AgentValues): NewAgent {
  return { ...body(values), slug: values.slug.trim() || null, tools: values.tools };
}

/** What of an agent changed: only that is sent, so that what others changed meanwhile stays. */
export function toChange(values: AgentValues, before: AgentValues): AgentChange {
  const now: Record<string, unknown> = { ...body(values), slug: values.slug.trim() };
  const then: Record<string, unknown> = { ...body(before), slug: before.slug.trim() };
  const changed = Object.keys(now).filter((key) => !same(now[key], then[key]));
  return Object.fromEntries(changed.map((key) => [key, now[key]]));
}

export function toolsChanged(values: AgentValues, before: AgentValues): boolean {
  const order = (list: readonly ToolChoice[]) => [...list].sort((a, b) => a.tool.localeCompare(b.tool));
  return !same(order(values.tools), order(before.tools));
}

function body(values: AgentValues) {
  const { limits, context } = values;
  return {
    name: values.name.trim(),
    description: values.description.trim(),
    accent_colour: values.accent_colour.trim(),
    avatar: values.avatar.trim() || null,
    system_prompt: values.system_prompt,
    model: values.model.trim() || null,
    trust_level: values.trust_level,
    default_trigger_mode: values.default_trigger_mode,
    limits: {
      max_steps: limits.max_steps === "" ? 10 : limits.max_steps,
      max_seconds: limits.max_minutes === "" ? 600 : Math.max(1, Math.round(limits.max_minutes * 60)),
      max_tokens: limits.max_tokens === "" ? null : limits.max_tokens,
      max_cost_micro: limits.max_cost.trim() === "" ? null : parseMoney(limits.max_cost),
      max_calls_per_tool: limits.max_calls_per_tool === "" ? null : limits.max_calls_per_tool,
    },
    context: {
      recent_messages: context.recent_messages === "" ? 30 : context.recent_messages,
      text_search: context.text_search,
    },
  };
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

export type Errors = Record<string, string>;

/** What is wrong, by field; empty when all is well. The server checks again. */
export function check(values: AgentValues): Errors {
  const found: Errors = {};
  const name = values.name.trim();
  if (!name) found["name"] = "Give it a name.";
  else if (name.length > NAME_MAX) found["name"] = `Use at most ${NAME_MAX} characters.`;
  if (values.slug.trim() && !HANDLE.test(values.slug.trim()))
    found["slug"] = "Use small letters, digits, - and _, beginning with a letter or digit.";
  if (!COLOUR.test(values.accent_colour.trim())) found["accent_colour"] = "Use a colour such as #4c6ef5.";
  const avatar = values.avatar.trim();
  if ([...avatar].length > 2 && !avatar.startsWith("/")) found["avatar"] = "Use one or two characters.";
  if (values.system_prompt.length > PROMPT_MAX) found["system_prompt"] = "Use at most 200,000 characters.";
  if (values.description.length > DESCRIPTION_MAX) found["description"] = "Use at most 20,000 characters.";
  if (/\s/.test(values.model.trim())) found["model"] = "A model id has no spaces, as in openai/gpt-4o.";
  return { ...found, ...checkLimits(values) };
}

function checkLimits({ limits, context }: AgentValues): Errors {
  const found: Errors = {};
  if (!within(limits.max_steps, 1, 1000)) found["limits.max_steps"] = "Use 1 to 1,000 steps.";
  if (!within(limits.max_minutes, 1 / 60, 1440, false)) found["limits.max_minutes"] = "Use up to 1,440 minutes (a day).";
  if (limits.max_tokens !== "" && !within(limits.max_tokens, 1, Infinity)) found["limits.max_tokens"] = "Use a whole number.";
  if (limits.max_calls_per_tool !== "" && !within(limits.max_calls_per_tool, 1, Infinity))
    found["limits.max_calls_per_tool"] = "Use a whole number.";
  if (limits.max_cost.trim() !== "" && parseMoney(limits.max_cost) === null)
    found["limits.max_cost"] = "Use an amount in dollars such as 0.50.";
  if (!within(context.recent_messages, 1, 500)) found["context.recent_messages"] = "Use 1 to 500 messages.";
  return found;
}

function within(value: Count, least: number, most: number, whole = true): boolean {
  return value !== "" && value >= least && value <= most && (!whole || Number.isInteger(value));
}

const FIELDS: Record<string, string> = { "limits.max_seconds": "limits.max_minutes", "limits.max_cost_micro": "limits.max_cost" };

/** The server's reasons by the fields of this form; what belongs to no field is under "". */
export function serverErrors(fields: Record<string, string>): Errors {
  const known = new Set(["limits.max_minutes", "limits.max_cost", ...Object.keys(BLANK)]);
  const found: Errors = {};
  for (const [path, reason] of Object.entries(fields)) {
    const field = FIELDS[path] ?? path;
    const top = field.split(".")[0] ?? "";
    const place = field.startsWith("tools") ? "tools" : known.has(top) || known.has(field) ? field : "";
    found[place] ??= reason;
  }
  return found;
}
