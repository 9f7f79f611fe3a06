/** Which cached answers a live event makes stale: as few as it can, by the prefixes of keys.ts. Pure. */
import type { QueryKey } from "@tanstack/react-query";

import { keys } from "./keys";

export const TOPICS = [
  "channel",
  "message",
  "interaction",
  "thinking",
  "cancel",
  "agent",
  "approval",
  "policy",
  "budget",
  "typing",
  "read",
  "membership",
  "resync",
] as const;

export type Topic = (typeof TOPICS)[number];

export interface LiveEvent {
  topic: Topic;
  /** Of the thing that changed; empty for `resync`. */
  id: string;
  /** The channel it happened in, where it has one. */
  scope?: string;
}

/** What is no longer fresh after this event. `resync` is all of it, and not listed here. */
export function stale({ topic, id, scope }: LiveEvent): QueryKey[] {
  switch (topic) {
    case "channel":
      return [keys.messages.of(id), keys.channels.lists, keys.channels.one(id)];
    case "message":
      return scope ? [keys.messages.of(scope)] : [keys.messages.all];
    case "interaction":
    case "cancel":
      return [keys.interactions.one(id), keys.interactions.lists, keys.waits.all, keys.agents.overview];
    case "agent":
      return [keys.agents.lists, keys.agents.one(id), keys.agents.overview];
    case "approval":
      return [keys.approvals.one(id), keys.approvals.lists, keys.grants];
    case "policy":
      return [keys.policies.all, keys.budgets];
    case "budget":
      return [keys.budgets, keys.usage.all];
    case "read":
      return [keys.channels.lists, keys.channels.one(id)];
    case "membership":
      return [keys.channels.lists, keys.channels.one(id), keys.agents.overview];
    case "thinking": // a turn has begun: whoever shows it subscribes
      return [keys.agents.overview];
    case "typing":
    case "resync":
      return [];
  }
}

/** The event in a server-sent `data`, or null when it is none of ours (a newer server may know more topics). */
export function parse(data: string): LiveEvent | null {
  let found: unknown;
  try {
    found = JSON.parse(data);
  } catch {
    return null;
  }
  if (typeof found !== "object" || found === null || !("topic" in found)) return null;
  const { topic, id, scope } = found as { topic: unknown; id?: unknown; scope?: unknown };
  if (!TOPICS.includes(topic as Topic)) return null;
  const event: LiveEvent = { topic: topic as Topic, id: typeof id === "string" ? id : "" };
  if (typeof scope === "string") event.scope = scope;
  return event;
}

/**
 * Runs one refetch of a key at a time. Events that come meanwhile are served by one more run afterwards, so that a
 * burst neither starves a fetch nor is missed.
 */
export class Refresher {
  private readonly running = new Map<string, { again: boolean }>();

  constructor(
    private readonly refetch: (key: QueryKey) => Promise<unknown>,
    private readonly pause: () => Promise<unknown>,
  ) {}

  ask(key: QueryKey): void {
    const name = JSON.stringify(key);
    const busy = this.running.get(name);
    if (busy) busy.again = true;
    else void this.run(name, key);
  }

  private async run(name: string, key: QueryKey): Promise<void> {
    const state = { again: true };
    this.running.set(name, state);
    while (state.again) {
      state.again = false;
      await this.refetch(key).catch(() => undefined);
      await this.pause();
    }
    this.running.delete(name);
  }
}
