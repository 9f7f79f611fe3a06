import { Select } from "@mantine/core";

import { useUpdateMember, type Channel, type ChannelMember } from "@/api/channels";
import { useMe } from "@/api/me";
import { isByBelonging } from "@/lib/channels";
import { Avatar } from "@/ui/Avatar";
import { notifyError } from "@/ui/notify";

import { Remove } from "./AgentRow";
import classes from "./ChannelDetails.module.css";

interface Props {
  channel: Channel;
  member: ChannelMember;
  may: boolean;
}

const ROLES = [
  { value: "owner", label: "Owner" },
  { value: "member", label: "Member" },
];

/** A person of the channel. */
export function PersonRow({ channel, member, may }: Props) {
  const me = useMe().data?.user.id;
  const id = member.user_id ?? "";
  const update = useUpdateMember(channel.id);
  const choose = (role: "owner" | "member") =>
    update.mutate(
      { party: id, change: { role } },
      { onError: (error) => notifyError(error, `Couldn't change the role of ${member.name}`) },
    );
  const own = id === me;
  return (
    <li className={classes.row}>
      <Avatar name={member.name} />
      <span className={classes.name}>
        {member.name}
        {own && <span className={classes.help}> (you)</span>}
      </span>
      {may ? (
        <Select
          size="xs"
          className={classes.role}
          aria-label={`Role of ${member.name}`}
          data={ROLES}
          value={member.role}
          allowDeselect={false}
          disabled={update.isPending}
          onChange={(next) => next !== null && choose(next as "owner" | "member")}
        />
      ) : (
        member.role === "owner" && <span className={classes.help}>Owner</span>
      )}
      {may && !isByBelonging(channel.kind) && own && <span className={classes.noRemove} />}
      {may && !isByBelonging(channel.kind) && !own && <Remove channel={channel} member={member} party={id} />}
    </li>
  );
}
