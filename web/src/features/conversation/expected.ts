/** Who is about to answer what one has just sent, as far as can be told before the server says so. Pure. */

interface Sent {
  content: string;
  to?: readonly string[];
  error: unknown;
  replyTo?: string | null;
}

interface Member {
  agent_id: string | null;
  slug: string | null;
  trigger_mode: string | null;
}

export function expectedAgents(sent: readonly Sent[], members: readonly Member[]): string[] {
  const open = sent.filter((one) => one.error === null && !one.replyTo);
  if (!open.length) return [];
  const agents = members.flatMap((member) => (member.agent_id ? [{ ...member, agent_id: member.agent_id }] : []));
  return agents.filter((agent) => open.some((one) => triggers(one, agent))).map((agent) => agent.agent_id);
}

function triggers(sent: Sent, agent: Member & { agent_id: string }): boolean {
  if (sent.to?.includes(agent.agent_id)) return true;
  if (agent.trigger_mode === "proactive") return true;
  if (agent.trigger_mode !== "mention" || !agent.slug) return false;
  return sent.content.toLowerCase().split(/[^\p{L}\p{N}@_-]+/u).includes(`@${agent.slug}`);
}
