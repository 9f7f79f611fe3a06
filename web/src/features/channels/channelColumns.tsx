/** The columns of the list of channels, and a row of it on a phone. */
import { useChannelMembers, type Channel } from "@/api/channels";
import { KINDS, lastSaid, membersInWords } from "@/lib/channels";
import { ChannelIcon } from "@/ui/ChannelIcon";
import { TimeAgo } from "@/ui/TimeAgo";
import type { Column } from "@/ui/table/columns";

import classes from "./ChannelsPage.module.css";

export const columns: readonly Column<Channel>[] = [
  {
    id: "name",
    title: "Channel",
    width: 220,
    grow: true,
    fixed: true,
    sortable: true,
    value: (channel) => channel.name,
    cell: (channel) => <Name channel={channel} />,
  },
  {
    id: "kind",
    title: "Kind",
    width: 112,
    sortable: true,
    value: (channel) => KINDS[channel.kind].label,
    cell: (channel) => KINDS[channel.kind].label,
  },
  {
    id: "members",
    title: "Members",
    width: 164,
    value: () => null,
    cell: (channel) => <Members channel={channel} />,
  },
  {
    id: "last",
    title: "Last message",
    width: 132,
    sortable: true,
    value: lastSaid,
    cell: (channel) => <LastSaid channel={channel} />,
  },
];

function Name({ channel }: { channel: Channel }) {
  return (
    <span className={classes.name}>
      <ChannelIcon kind={channel.kind} />
      <span className={classes.what} data-unread={channel.unread > 0 || undefined}>
        {channel.name}
      </span>
      {channel.unread > 0 && <span className={classes.unread}>{unreadWords(channel.unread)}</span>}
    </span>
  );
}

/** The server counts to a hundred. */
function unreadWords(unread: number): string {
  return unread >= 100 ? "99+ new" : `${unread} new`;
}

/** Asked for the rows in view only. */
function Members({ channel }: { channel: Channel }) {
  const { data } = useChannelMembers(channel.id);
  return data ? <>{membersInWords(data)}</> : null;
}

function LastSaid({ channel }: { channel: Channel }) {
  if (!channel.last_message_at) return <span className={classes.dim}>Nothing yet</span>;
  return <TimeAgo when={channel.last_message_at} />;
}

export function CompactChannel({ channel }: { channel: Channel }) {
  return (
    <span className={classes.compact}>
      <ChannelIcon kind={channel.kind} />
      <span className={classes.lines}>
        <span className={classes.line} data-unread={channel.unread > 0 || undefined}>
          {channel.name}
        </span>
        <span className={`${classes.line} ${classes.dim}`}>
          {KINDS[channel.kind].label}
          {" · "}
          <LastSaid channel={channel} />
        </span>
      </span>
      {channel.unread > 0 && <span className={classes.unread}>{unreadWords(channel.unread)}</span>}
    </span>
  );
}
