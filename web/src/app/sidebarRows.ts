/** What stands in the sidebar, in which order. Pure. */
import type { Schemas } from "@/api/client";

type Agent = Schemas["Agent"];
type Channel = Schemas["Channel"];

export interface AgentEntry {
  agent: Agent;
  /** The private channel of oneself and this agent, once there is one. */
  direct: Channel | undefined;
}

export interface Rows {
  agents: AgentEntry[];
  channels: Channel[];
}

/** Agents that can work, the Assistant first; channels by name, without those that an agent's row opens. */
export function arrange(agents: readonly Agent[], channels: readonly Channel[]): Rows {
  const shown = agents.filter(({ status }) => status !== "deactivated").sort(byRank);
  const entries = shown.map((agent) => ({ agent, direct: channels.find((each) => each.agent_id === agent.id) }));
  const taken = new Set(entries.map(({ direct }) => direct?.id));
  const rest = channels.filter(({ id, archived_at }) => !archived_at && !taken.has(id));
  return { agents: entries, channels: rest.sort((a, b) => a.name.localeCompare(b.name)) };
}

function byRank(a: Agent, b: Agent): number {
  const rank = Number(b.slug === "assistant") - Number(a.slug === "assistant");
  return rank || a.name.localeCompare(b.name);
}
