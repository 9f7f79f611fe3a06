import { useMemo } from "react";

import { useAgents } from "@/api/agents";
import { useChannelMembers } from "@/api/channels";
import { useMe } from "@/api/me";
import { handleOf, type Mentionable } from "@/lib/mention";

const NONE: readonly Mentionable[] = [];

/** Whom a message in this channel can mention: its people, and the agents one may ask; without oneself. */
export function useMentionables(channelId: string): readonly Mentionable[] {
  const { data } = useChannelMembers(channelId);
  const me = useMe().data?.user.id;
  return useMemo(
    () =>
      data
        ?.filter((member) => member.user_id !== me && member.reachable)
        .map((member) => ({
          id: member.agent_id ?? member.user_id ?? "",
          kind: member.kind,
          name: member.name,
          handle: member.slug ?? handleOf(member.name),
        })) ?? NONE,
    [data, me],
  );
}

/** The accent colours of agents, by id. */
export function useAccents(): ReadonlyMap<string, string> {
  const { data } = useAgents();
  return useMemo(() => new Map(data?.map((agent) => [agent.id, agent.accent_colour])), [data]);
}
