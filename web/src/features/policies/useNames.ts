/** Names of what rules speak of; what one may not see or is gone has none. */
import { useMemo } from "react";

import { useAgents } from "@/api/agents";
import { useChannels } from "@/api/channels";
import { useTeams } from "@/api/teams";
import { useUsers } from "@/api/users";

import type { Names } from "./words";

type List = readonly { id: string; name: string }[] | undefined;

function finder(list: List): (id: string) => string | undefined {
  if (!list) return () => "…";
  const byId = new Map(list.map(({ id, name }) => [id, name]));
  return (id) => byId.get(id);
}

export function useNames(): Names {
  const [agents, channels, people, teams] = [useAgents().data, useChannels().data, useUsers().data, useTeams().data];
  return useMemo(
    () => ({ agent: finder(agents), channel: finder(channels), person: finder(people), team: finder(teams) }),
    [agents, channels, people, teams],
  );
}
