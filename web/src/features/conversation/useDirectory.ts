import { createContext, useContext, useMemo } from "react";

import { useAgents } from "@/api/agents";
import { useChannelMembers } from "@/api/channels";
import { useUsers } from "@/api/users";

export interface Party {
  name: string;
  kind: "person" | "agent";
  accent: string | null;
  image: string | null;
}

interface Author {
  author_kind: string;
  user_id: string | null;
  agent_id: string | null;
  metadata?: Record<string, unknown>;
}

export interface Directory {
  of: (author: Author) => Party;
  agent: (id: string) => Party;
  /** The handles that may be mentioned here. */
  handles: ReadonlySet<string>;
}

const NOBODY: Party = { name: "", kind: "person", accent: null, image: null };
export const DirectoryContext = createContext<Directory>({ of: () => NOBODY, agent: () => NOBODY, handles: new Set() });

/** Who is who in the conversation this stands in. */
export function useDirectory(): Directory {
  return useContext(DirectoryContext);
}

/** Made once per conversation: members of the channel first, then everybody of the account, also those who have left the channel. */
export function useMakeDirectory(channelId: string): Directory {
  const members = useChannelMembers(channelId).data;
  const agents = useAgents().data;
  const users = useUsers().data;
  return useMemo(() => {
    const people = new Map(users?.map((user) => [user.id, user.name]));
    const known = new Map(agents?.map((agent) => [agent.id, agent]));
    const names = new Map(members?.map((member) => [member.user_id ?? member.agent_id ?? "", member.name]));
    const agent = (id: string, fallback = "Agent"): Party => {
      const found = known.get(id);
      const name = found?.name ?? names.get(id) ?? fallback;
      return { name, kind: "agent", accent: found?.accent_colour ?? null, image: found?.avatar ?? null };
    };
    const of = (author: Author): Party => {
      const said = author.metadata?.["agentName"];
      if (author.agent_id) return agent(author.agent_id, typeof said === "string" ? said : "Agent");
      const name = names.get(author.user_id ?? "") ?? people.get(author.user_id ?? "");
      const fallback = author.author_kind === "user" ? "Someone" : author.author_kind === "system" ? "Retinue" : "Guest";
      return { name: name ?? fallback, kind: "person", accent: null, image: null };
    };
    const handles = new Set(members?.flatMap((member) => (member.slug ? [member.slug] : [])));
    return { of, agent, handles };
  }, [members, agents, users]);
}
