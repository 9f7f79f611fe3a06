import { Tabs } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";

import { useChannel, useChannelMembers, type Channel } from "@/api/channels";
import { useMe } from "@/api/me";
import { useTeamMembers } from "@/api/teams";
import { mayChange } from "@/lib/channels";
import { ErrorState } from "@/ui/ErrorState";
import { ListSkeleton } from "@/ui/ListSkeleton";
import { Panel } from "@/ui/Panel";

import classes from "./ChannelDetails.module.css";
import { Members } from "./Members";
import { Settings } from "./Settings";

type Tab = "details" | "members";

interface Props {
  channelId: string;
  tab: Tab;
  onClose: () => void;
}

/** What a channel is and who is in it, in the right panel. */
export function ChannelDetails({ channelId, tab, onClose }: Props) {
  const channel = useChannel(channelId);
  const navigate = useNavigate();
  const go = (panel: string | null) =>
    void navigate({
      to: "/channels/$channelId",
      params: { channelId },
      search: (now) => ({ ...now, panel: panel === "members" ? "members" : "details" }),
      replace: true,
    });
  return (
    <Panel title={channel.data?.name ?? "Channel"} onClose={onClose}>
      <Tabs value={tab} onChange={go} keepMounted={false} classNames={{ tab: classes.tab }}>
        <Tabs.List>
          <Tabs.Tab value="details">Details</Tabs.Tab>
          <Tabs.Tab value="members">Members</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="details">
          <Loaded channel={channel}>{(data, may) => <Settings key={data.id} channel={data} may={may} />}</Loaded>
        </Tabs.Panel>
        <Tabs.Panel value="members">
          <Loaded channel={channel}>{(data, may) => <Members key={data.id} channel={data} may={may} />}</Loaded>
        </Tabs.Panel>
      </Tabs>
    </Panel>
  );
}

interface LoadedProps {
  channel: ReturnType<typeof useChannel>;
  children: (channel: Channel, may: boolean) => React.ReactNode;
}

function Loaded({ channel, children }: LoadedProps) {
  const may = useMayChange(channel.data);
  if (channel.error && !channel.data) {
    return <ErrorState error={channel.error} what="this channel" retry={() => void channel.refetch()} />;
  }
  if (!channel.data || may === undefined) return <ListSkeleton rows={6} label="Loading the channel" />;
  return children(channel.data, may);
}

/** Whether one may change the channel; undefined until that is known. */
function useMayChange(channel: Channel | undefined): boolean | undefined {
  const me = useMe().data;
  const members = useChannelMembers(channel?.id ?? "");
  const team = useTeamMembers(channel?.team_id ?? "", Boolean(channel?.team_id));
  if (!me || members.isPending) return undefined;
  const role = team.data?.find((one) => one.user_id === me.user.id)?.role ?? null;
  return mayChange(me, members.data, role);
}
