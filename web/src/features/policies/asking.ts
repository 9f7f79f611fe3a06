/** A call that is asked about: as it stands in the address, in the fields, and as the API takes it. Pure. */
import type { Explanation, Hypothesis } from "@/api/policies";
import { label, shortModel } from "@/lib/format";
import { parseArguments } from "@/lib/argumentForm";

export interface Search {
  agent?: string;
  tool?: string;
  model?: string;
  /** An id, or "nobody"; without it, oneself. */
  user?: string;
  channel?: string;
  /** A moment (RFC 3339); without it, now. */
  at?: string;
  /** JSON. */
  args?: string;
}

export interface Values {
  agent: string | null;
  what: "tool" | "model";
  tool: string | null;
  model: string;
  user: string | null;
  channel: string | null;
  /** As a field of date and time writes it, in the browser's zone. */
  at: string;
  args: Record<string, unknown>;
}

export const NOBODY = "nobody";

export function fromSearch({ agent, tool, model, user, channel, at, args }: Search): Values {
  return {
    agent: agent ?? null,
    what: model && !tool ? "model" : "tool",
    tool: tool ?? null,
    model: model ?? "",
    user: user ?? null,
    channel: channel ?? null,
    at: at && !Number.isNaN(Date.parse(at)) ? local(new Date(at)) : "",
    args: (args ? parseArguments(args) : null) ?? {},
  };
}

function local(when: Date): string {
  return new Date(when.getTime() - when.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export function toSearch({ agent, what, tool, model, user, channel, at, args }: Values): Search {
  const given = what === "tool" && Object.keys(args).length > 0;
  const found = {
    agent,
    tool: what === "tool" ? tool : null,
    model: what === "model" ? model.trim() : null,
    user,
    channel,
    at: at && !Number.isNaN(Date.parse(at)) ? new Date(at).toISOString() : null,
    args: given ? JSON.stringify(args) : null,
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => Boolean(value)));
}

/** What the API is asked; null while it is not whole. `admin`: only they ask for others. */
export function hypothesisOf(search: Search, admin: boolean): Hypothesis | null {
  const { agent, tool, model, user, channel, at, args } = search;
  if (!agent || !(tool || model)) return null;
  const what = tool ? { tool, arguments: (args ? parseArguments(args) : null) ?? {} } : { model };
  return {
    agent_id: agent, ...what,
    ...(admin && user ? { user_id: user === NOBODY ? null : user } : {}),
    ...(channel ? { channel_id: channel } : {}),
    ...(at && !Number.isNaN(Date.parse(at)) ? { at } : {}),
  }; // prettier-ignore
}

/** The answer in one plain sentence: "Ledger may not use Send email." */
export function sentence({ verdict, tool }: Pick<Explanation, "verdict" | "tool">, asked: Search, agent: string): string {
  const what = asked.tool ? label(tool ?? asked.tool) : shortModel(asked.model ?? "");
  switch (verdict) {
    case "allow":
      return `${agent} may use ${what}.`;
    case "ask":
      return `A person decides before ${agent} uses ${what}.`;
    case "deny":
      return `${agent} may not use ${what}.`;
  }
}
