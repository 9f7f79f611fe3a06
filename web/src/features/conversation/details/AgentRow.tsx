import { ActionIcon, Select } from "@mantine/core";
import { IconX } from "@tabler/icons-react";

import { useAddMember, useRemoveMember, useUpdateMember, type Channel, type ChannelMember, type TriggerMode } from "@/api/channels";
import { TRIGGERS } from "@/lib/channels";
import { Avatar } from "@/ui/Avatar";
import { offerUndo } from "@/ui/ConfirmUndo";
import { LinkAnchor } from "@/ui/links";
import { notifyDone, notifyError } from "@/ui/notify";

import { useAccents } from "../composer/useMentionables";
import classes from "./ChannelDetails.module.css";

interface Props {
  channel: Channel;
  member: ChannelMember;
  may: boolean;
}

const MODES = Object.entries(TRIGGERS).map(([value, { label }]) => ({ value, label }));

/** An agent of the channel, and when it answers there. */
export function AgentRow({ channel, member, may }: Props) {
  const id = member.agent_id ?? "";
  const accent = useAccents().get(id);
  const update = useUpdateMember(channel.id);
  const mode = member.trigger_mode ?? "mention";
  const choose = (next: TriggerMode) =>
    update.mutate(
      { party: id, change: { trigger_mode: next } },
      {
        onSuccess: (made) => made.trigger_mode !== next && notifyDone(clamped(member.name, made.trigger_mode)),
        onError: (error) => notifyError(error, `Couldn't change when ${member.name} answers`),
      },
    );
  return (
    <li className={classes.row}>
      <Avatar name={member.name} kind="agent" accent={accent} />
      <span className={classes.words}>
        <LinkAnchor to="/agents/$agentId" params={{ agentId: id }} className={classes.name}>
          {member.name}
        </LinkAnchor>
        {may ? (
          <Select
            size="xs"
            className={classes.mode}
            aria-label={`When ${member.name} answers`}
            data={MODES}
            value={mode}
            allowDeselect={false}
            disabled={update.isPending}
            onChange={(next) => next !== null && choose(next as TriggerMode)}
          />
        ) : (
          <span className={classes.help}>{TRIGGERS[mode].label}</span>
        )}
      </span>
      {may && <Remove channel={channel} member={member} party={id} />}
    </li>
  );
}

function clamped(name: string, mode: TriggerMode | null): string {
  const words = TRIGGERS[mode ?? "mention"].label.toLowerCase();
  return `${name} answers here: ${words}. A rule of the account or the team allows no more.`;
}

/** Takes a member out, and puts them back as they were when somebody wants that. */
export function Remove({ channel, member, party }: { channel: Channel; member: ChannelMember; party: string }) {
  const remove = useRemoveMember(channel.id);
  const add = useAddMember(channel.id);
  const back = () =>
    add.mutate(
      member.kind === "agent"
        ? { agent_id: party, role: "member", trigger_mode: member.trigger_mode }
        : { user_id: party, role: member.role },
      { onError: (error) => notifyError(error, `Couldn't add ${member.name} again`) },
    );
  const out = () =>
    remove.mutate(party, {
      onSuccess: () => offerUndo({ message: `${member.name} is no longer in ${channel.name}.`, undo: back }),
      onError: (error) => notifyError(error, `Couldn't remove ${member.name}`),
    });
  return (
    <ActionIcon aria-label={`Remove ${member.name}`} data-tip="Remove" loading={remove.isPending} onClick={out}>
      <IconX size={16} stroke={1.5} />
    </ActionIcon>
  );
}
