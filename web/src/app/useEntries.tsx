import { useMantineColorScheme, useComputedColorScheme } from "@mantine/core";
import {
  IconActivity,
  IconChartBar,
  IconChecklist,
  IconGavel,
  IconHash,
  IconHelpCircle,
  IconKeyboard,
  IconLock,
  IconLogout,
  IconMessage,
  IconMoon,
  IconPlus,
  IconSettings,
  IconShieldCheck,
  IconUserSquareRounded,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";

import { useAgents } from "@/api/agents";
import { useChannels } from "@/api/channels";
import { api, type Schemas, unwrap } from "@/api/client";
import { keys } from "@/api/keys";
import { useIsAdmin } from "@/api/me";
import { shorten } from "@/lib/format";
import { plainWords } from "@/lib/markdown";
import { ofInteraction } from "@/lib/states";
import { relative } from "@/lib/time";
import { Avatar } from "@/ui/Avatar";

import type { Entry } from "./palette";
import { arrange } from "./sidebarRows";
import { useLeave } from "./useLeave";
import { useTalk } from "./useTalk";

const RECENT = 6;
const icon = { size: 18, stroke: 1.5 };

const SECTIONS = [
  ["profile", "Profile", "name time zone locale language"],
  ["security", "Security", "password sessions devices"],
  ["keys", "API keys", "token"],
  ["general", "General", "account name"],
  ["people", "People", "members invite users roles"],
  ["teams", "Teams", "groups"],
  ["roles", "Worker roles", "autonomy bounds escalation agents"],
  ["models", "Models", "provider anthropic openai ollama key connect"],
  ["storage", "Storage", "files s3 limits"],
  ["appearance", "Appearance", "theme dark light"],
] as const;

export interface Entries {
  entries: Entry[];
  found: (hit: Schemas["MessageHit"]) => Entry;
}

/** Everything the palette can go to or do, and how a found message looks there. */
export function useEntries(onHelp: () => void): Entries {
  const navigate = useNavigate();
  const entries = [...useAgentEntries(), ...useChannelEntries(), ...usePageEntries(), ...useActions(onHelp), ...useRecent()];
  const found = ({ message, channel_name, snippet }: Schemas["MessageHit"]): Entry => ({
    id: `message-${message.id}`,
    group: "Messages",
    label: shorten(plainWords(snippet.map(({ text }) => text).join("")), 90),
    detail: `${channel_name}, ${relative(message.created_at)}`,
    mark: <IconMessage {...icon} />,
    run: () =>
      void navigate({
        to: "/channels/$channelId",
        params: { channelId: message.channel_id },
        search: { message: message.id },
      }),
  });
  return { entries, found };
}

function useAgentEntries(): Entry[] {
  const { data: agents = [] } = useAgents();
  const talk = useTalk();
  return arrange(agents, []).agents.map(({ agent }) => ({
    id: `agent-${agent.id}`,
    group: "Agents",
    label: agent.name,
    detail: shorten(agent.description, 60),
    words: `${agent.slug} talk agent`,
    mark: <Avatar name={agent.name} accent={agent.accent_colour} image={agent.avatar} size={20} kind="agent" />,
    run: () => talk(agent),
  }));
}

function useChannelEntries(): Entry[] {
  const { data: agents = [] } = useAgents();
  const { data: channels = [] } = useChannels();
  const navigate = useNavigate();
  return arrange(agents, channels).channels.map((channel) => ({
    id: `channel-${channel.id}`,
    group: "Channels",
    label: channel.name,
    words: `${channel.slug ?? ""} channel`,
    mark: channel.kind === "private" ? <IconLock {...icon} /> : <IconHash {...icon} />,
    run: () => void navigate({ to: "/channels/$channelId", params: { channelId: channel.id } }),
  }));
}

function usePageEntries(): Entry[] {
  const navigate = useNavigate();
  const admin = useIsAdmin();
  const page = (name: string, words: string, mark: Entry["mark"], run: () => void): Entry => {
    return { id: `page-${name}`, group: "Pages", label: name, words, mark, run };
  };
  const section = ([id, name, words]: (typeof SECTIONS)[number]): Entry => ({
    ...page(name, `settings ${words}`, <IconSettings {...icon} />, () => {
      void navigate({ to: "/settings/$section", params: { section: id } });
    }),
    detail: "Settings",
  });
  return [
    page("Activity", "turns interactions log timeline", <IconActivity {...icon} />, () => void navigate({ to: "/activity" })),
    page("Approvals", "approve reject waits grants decide", <IconChecklist {...icon} />, () => void navigate({ to: "/approvals" })),
    page("Usage", "cost spending budgets limits forecast money tokens", <IconChartBar {...icon} />, () => void navigate({ to: "/usage" })),
    page("Agents", "list", <IconUserSquareRounded {...icon} />, () => void navigate({ to: "/agents" })),
    page("Channels", "browse", <IconHash {...icon} />, () => void navigate({ to: "/channels" })),
    page("Policies", "rules limits governance approval budget hours", <IconGavel {...icon} />, () => void navigate({ to: "/policies" })),
    page("Explain a call", "why policy verdict allowed denied", <IconHelpCircle {...icon} />, () => void navigate({ to: "/policies/explain" })),
    ...(admin ? [page("Audit", "record log seal verify export", <IconShieldCheck {...icon} />, () => void navigate({ to: "/audit" }))] : []),
    ...SECTIONS.map(section),
  ];
}

function useActions(onHelp: () => void): Entry[] {
  const navigate = useNavigate();
  const admin = useIsAdmin();
  const { setColorScheme } = useMantineColorScheme();
  const other = useComputedColorScheme("light") === "light" ? "dark" : "light";
  const leave = useLeave();
  const action = (name: string, words: string, mark: Entry["mark"], run: () => void): Entry => {
    return { id: `do-${name}`, group: "Do", label: name, words, mark, run };
  };
  const toNewChannel = () => void navigate({ to: "/channels", search: { new: true } });
  const newAgent = action("New agent", "create", <IconPlus {...icon} />, () => void navigate({ to: "/agents/new" }));
  return [
    action("New channel", "create group", <IconPlus {...icon} />, toNewChannel),
    ...(admin ? [newAgent] : []),
    action(`Use the ${other} theme`, "toggle appearance scheme", <IconMoon {...icon} />, () => setColorScheme(other)),
    action("Show the keys", "keyboard shortcuts help", <IconKeyboard {...icon} />, onHelp),
    action("Sign out", "log out leave", <IconLogout {...icon} />, leave),
  ];
}

function useRecent(): Entry[] {
  const navigate = useNavigate();
  const { data } = useQuery({
    queryKey: keys.interactions.list({ limit: RECENT }),
    queryFn: () => unwrap(api.GET("/v1/interactions", { params: { query: { limit: RECENT } } })),
  });
  const { data: agents = [] } = useAgents();
  return (data?.data ?? []).map((turn) => ({
    id: `turn-${turn.id}`,
    group: "Recent turns",
    label: agents.find(({ id }) => id === turn.agent_id)?.name ?? "A turn",
    detail: `${ofInteraction(turn.state).label}, ${relative(turn.created_at)}`,
    words: "turn interaction",
    mark: <IconActivity {...icon} />,
    run: () => void navigate({ to: "/activity/$interactionId", params: { interactionId: turn.id } }),
  }));
}
