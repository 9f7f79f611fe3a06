/** The rows of the list of agents: agents with what is known beside them. */
import type { Agent, AgentOverview } from "@/api/agents";
import type { Schemas } from "@/api/client";
import type { Amount } from "@/lib/money";

export interface AgentRow {
  agent: Agent;
  overview: AgentOverview | null;
  /** This month; null while it is not known. */
  cost: Amount | null;
  unpriced: boolean;
}

/** The first day of the month, as the API counts days: in UTC. */
export function monthStart(now: Date): string {
  return `${now.toISOString().slice(0, 7)}-01`;
}

export function rowsOf(
  agents: readonly Agent[],
  overview: ReadonlyMap<string, AgentOverview> | undefined,
  usage: readonly Schemas["UsageRow"][] | undefined,
): AgentRow[] {
  const used = new Map((usage ?? []).map((row) => [row.agent_id, row]));
  return agents.map((agent) => {
    const own = used.get(agent.id);
    const nothing = usage ? { amount_micro: 0, currency: "USD" } : null;
    return {
      agent,
      overview: overview?.get(agent.id) ?? null,
      cost: own?.cost ?? nothing,
      unpriced: (own?.unpriced ?? 0) > 0,
    };
  });
}

/** The rows whose name, handle, description or model has every word of the query. */
export function matching(rows: readonly AgentRow[], query: string): readonly AgentRow[] {
  const words = query.toLowerCase().trim().split(/\s+/).filter(Boolean);
  if (words.length === 0) return rows;
  return rows.filter(({ agent }) => {
    const text = `${agent.name} @${agent.slug} ${agent.description} ${agent.model ?? ""}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
