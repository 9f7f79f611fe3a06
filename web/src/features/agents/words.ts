/** The API's words for agents and tools as people read them. */
import type { Schemas } from "@/api/client";
import type { Meaning } from "@/lib/states";

type Effect = Schemas["Effect"];
type Trust = Schemas["TrustLevel"];
type Trigger = Schemas["TriggerMode"];
type Status = Schemas["AgentStatus"];

export const EFFECTS: Record<Effect, { label: string; help: string }> = {
  read: { label: "Only reads", help: "Changes nothing." },
  write: { label: "Changes Retinue", help: "Changes data kept here, exactly once." },
  external_keyed: { label: "Acts outside", help: "Changes something outside. Safe to repeat after a crash." },
  external_once: {
    label: "Acts outside, once",
    help: "Changes something outside and is never repeated without a person's word.",
  },
};

export const TRUST: Record<Trust, { label: string; help: string }> = {
  read: { label: "Read", help: "May use only tools that look things up." },
  standard: { label: "Standard", help: "May also use everyday tools. Right for most agents." },
  elevated: { label: "Elevated", help: "May also use tools that touch sensitive things." },
  admin: { label: "Admin", help: "May use every tool it is given." },
};

const RANK: Record<Trust, number> = { read: 0, standard: 1, elevated: 2, admin: 3 };

/** Whether an agent of this trust may call a tool that asks for `needed`. */
export function trusts(agent: Trust, needed: Trust): boolean {
  return RANK[agent] >= RANK[needed];
}

export const TRIGGERS: Record<Trigger, { label: string; help: string }> = {
  mention: { label: "When mentioned", help: "Answers messages that name it. Right for channels with people." },
  proactive: { label: "Every message", help: "Answers everything that is said." },
  silent: { label: "Never by itself", help: "Reads along; works only when somebody or something starts it." },
};

/** How an agent's own state is shown. One that works now says so whatever its setting. */
export function stateOf(status: Status, working: boolean): { meaning: Meaning; label: string } {
  if (status === "paused") return { meaning: "aware", label: "Paused" };
  if (status === "deactivated") return { meaning: "dormant", label: "Switched off" };
  return working ? { meaning: "working", label: "Working" } : { meaning: "well", label: "Ready" };
}

const PATHS: Record<string, string> = {
  name: "Name",
  slug: "Handle",
  description: "Description",
  system_prompt: "Prompt",
  model: "Model",
  endpoint: "Endpoint",
  execution: "Where it runs",
  trust_level: "Trust",
  capability_level: "Capability",
  delegation_set: "Delegates",
  max_delegation_depth: "Depth of delegation",
  "limits.max_steps": "Steps at most",
  "limits.max_seconds": "Seconds at most",
  "limits.max_tokens": "Tokens at most",
  "limits.max_cost_micro": "Cost at most",
  "limits.max_calls_per_tool": "Calls per tool at most",
  "context.recent_messages": "Messages it remembers",
  "context.text_search": "Search of older messages",
};

/** A path of a configuration in words: `tools.web_search` is "Tool web search". */
export function pathWords(path: string): string {
  if (path.startsWith("tools.")) return `Tool ${path.slice("tools.".length).replaceAll("_", " ")}`;
  return PATHS[path] ?? path.replaceAll(".", ", ").replaceAll("_", " ");
}

/** How far an agent is rolled out, in the order of promotion. */
export const STAGES: readonly { state: Schemas["DeploymentState"]; help: string }[] = [
  { state: "in_development", help: "Admins build it." },
  { state: "testing", help: "Admins try it." },
  { state: "available", help: "Admins may activate it." },
  { state: "active", help: "Whoever it is assigned to can ask it." },
];

/** The one step that can be taken from here; null at the end. */
export function nextStage(state: Schemas["DeploymentState"]): Schemas["DeploymentState"] | null {
  return STAGES[STAGES.findIndex((stage) => stage.state === state) + 1]?.state ?? null;
}

/** The trust level that goes with an autonomy score, as the server maps them. */
export function levelOf(score: number): Trust {
  if (score <= 2) return "read";
  if (score <= 5) return "standard";
  return score <= 8 ? "elevated" : "admin";
}
