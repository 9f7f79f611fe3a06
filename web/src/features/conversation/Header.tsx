import { ActionIcon, Anchor } from "@mantine/core";
import { IconInfoCircle, IconUsers } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";

import { useChannelMembers, type Channel } from "@/api/channels";
import { label, names, plural } from "@/lib/format";
import { Avatar } from "@/ui/Avatar";
import { ChannelIcon } from "@/ui/ChannelIcon";
import { PageHeader } from "@/ui/PageHeader";

import { useDirectory } from "./useDirectory";

type Tab = "details" | "members";

interface Props {
  channel: Channel;
  panel: Tab | null;
  onPanel: (panel: Tab | null) => void;
}

/** The channel's name, who is in it, and the ways to its details. */
export function Header({ channel, panel, onPanel }: Props) {
  const members = useChannelMembers(channel.id).data;
  const { agent } = useDirectory();
  const agents = members?.filter((member) => member.agent_id !== null) ?? [];
  const only = agents.length === 1 ? agents[0]?.agent_id : null;
  const who = only ? agent(only) : null;
  const dialogue = channel.kind === "private" && who !== null;
  const before = dialogue ? (
    <Avatar name={who.name} kind="agent" accent={who.accent} image={who.image} size={28} />
  ) : (
    <ChannelIcon kind={channel.kind} />
  );
  return (
    <PageHeader title={channel.name} before={before} note={<Note channel={channel} only={only ?? null} agents={agents.map((one) => one.name)} />}>
      <Toggle label={members ? plural(members.length, "member") : "Members"} icon={IconUsers} on={panel === "members"}
        onClick={() => onPanel(panel === "members" ? null : "members")} /> {/* prettier-ignore */}
      <Toggle label="Details" icon={IconInfoCircle} on={panel === "details"} onClick={() => onPanel(panel === "details" ? null : "details")} />
    </PageHeader>
  );
}

function Note({ channel, only, agents }: { channel: Channel; only: string | null; agents: readonly string[] }) {
  const state = channel.archived_at ? "Archived" : `${label(channel.kind)} channel`;
  if (only) {
    return (
      <>
        {state} with{" "}
        <Anchor component={Link} to={`/agents/${only}`} fz="inherit">
          {agents[0]}
        </Anchor>
      </>
    );
  }
  return agents.length ? `${state} with ${names(agents)}` : state;
}

interface ToggleProps {
  label: string;
  icon: typeof IconUsers;
  on: boolean;
  onClick: () => void;
}

function Toggle({ label: words, icon: Icon, on, onClick }: ToggleProps) {
  return (
    <ActionIcon aria-label={words} data-tip={words} aria-expanded={on} size={36} variant={on ? "light" : "subtle"} onClick={onClick}>
      <Icon size={18} stroke={1.5} />
    </ActionIcon>
  );
}
