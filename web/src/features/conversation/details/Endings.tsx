import { Button, Popover } from "@mantine/core";
import { IconArchive, IconArchiveOff, IconDoorExit } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { useChannelMembers, useLeaveChannel, useUpdateChannel, type Channel } from "@/api/channels";
import { useMe } from "@/api/me";
import { isLastOwner } from "@/lib/channels";
import { offerUndo } from "@/ui/ConfirmUndo";
import { notifyError } from "@/ui/notify";

import classes from "./ChannelDetails.module.css";
import { Section } from "./Settings";

interface Props {
  channel: Channel;
  may: boolean;
  /** Whether people are in it by their own choice. */
  leavable: boolean;
}

/** Putting the channel away, and going. */
export function Endings({ channel, may, leavable }: Props) {
  const me = useMe().data?.user.id;
  const members = useChannelMembers(channel.id).data;
  const among = members?.some((one) => one.user_id === me) ?? false;
  if (!may && !(leavable && among)) return null;
  return (
    <Section title="Put away">
      <div className={classes.buttons}>
        {may && <Archive channel={channel} />}
        {leavable && among && me && (
          <Leave channel={channel} me={me} last={isLastOwner(members ?? [], me, channel.kind)} />
        )}
      </div>
      {may && !channel.archived_at && (
        <p className={classes.facts}>An archived channel can be read, not written to, until it is restored.</p>
      )}
    </Section>
  );
}

function Archive({ channel }: { channel: Channel }) {
  const { mutate, isPending } = useUpdateChannel(channel.id);
  const put = (archived: boolean, undo?: () => void) =>
    mutate(
      { archived },
      {
        onSuccess: () => undo && offerUndo({ message: `${channel.name} is archived.`, undo }),
        onError: (error) => notifyError(error, archived ? "Couldn't archive the channel" : "Couldn't restore the channel"),
      },
    );
  const Icon = channel.archived_at ? IconArchiveOff : IconArchive;
  return (
    <Button
      size="xs"
      variant="default"
      loading={isPending}
      leftSection={<Icon size={16} stroke={1.5} />}
      onClick={() => (channel.archived_at ? put(false) : put(true, () => put(false)))}
    >
      {channel.archived_at ? "Restore" : "Archive"}
    </Button>
  );
}

/** Cannot be taken back by oneself, so it is asked for once more. */
function Leave({ channel, me, last }: { channel: Channel; me: string; last: boolean }) {
  const [asking, setAsking] = useState(false);
  const { mutate, isPending } = useLeaveChannel(channel.id);
  const navigate = useNavigate();
  const leave = () =>
    mutate(me, {
      onSuccess: () => void navigate({ to: "/channels", search: {} }),
      onError: (error) => {
        setAsking(false);
        notifyError(error, "Couldn't leave the channel");
      },
    });
  return (
    <Popover opened={asking} onChange={setAsking} position="top-start" width={280} trapFocus returnFocus>
      <Popover.Target>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconDoorExit size={16} stroke={1.5} />}
          onClick={() => setAsking((was) => !was)}
        >
          Leave
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label="Leave the channel">
        {last ? (
          <p className={classes.ask}>You are its only owner. Make someone else an owner first, under Members.</p>
        ) : (
          <>
            <p className={classes.ask}>You will no longer see {channel.name}. An owner can add you again.</p>
            <Button size="xs" color="red" loading={isPending} onClick={leave}>
              Leave channel
            </Button>
          </>
        )}
      </Popover.Dropdown>
    </Popover>
  );
}
