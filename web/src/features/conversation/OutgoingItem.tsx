import { Button } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";

import { useMe } from "@/api/me";
import { useOutboxActions, type Outgoing } from "@/api/outbox";
import { Markdown } from "@/ui/markdown/Markdown";

import classes from "./OutgoingItem.module.css";
import { Row } from "./Row";
import { useDirectory } from "./useDirectory";

interface Props {
  channelId: string;
  outgoing: Outgoing;
  grouped?: boolean;
}

/** A message on its way, or one that did not get through, with what can be done then. */
export function OutgoingItem({ channelId, outgoing, grouped = false }: Props) {
  const me = useMe().data?.user;
  const directory = useDirectory();
  const who = directory.of({ author_kind: "user", user_id: me?.id ?? null, agent_id: null });
  return (
    <Row who={{ ...who, name: me?.name ?? who.name }} when={outgoing.created_at} grouped={grouped} quiet={!outgoing.error}>
      <Markdown text={outgoing.content} />
      {outgoing.files?.map((file) => (
        <p key={file.id} className={classes.file}>
          {file.name}
        </p>
      ))}
      {outgoing.error && <Refused channelId={channelId} outgoing={outgoing} />}
    </Row>
  );
}

function Refused({ channelId, outgoing }: Props) {
  const { retry, discard } = useOutboxActions(channelId);
  return (
    <div className={classes.refused} role="alert">
      <IconAlertTriangle size={16} stroke={1.5} aria-hidden />
      <span>
        <strong>Not sent.</strong> {outgoing.error?.detail}
      </span>
      <Button size="compact-sm" variant="default" onClick={() => retry(outgoing)}>
        Send again
      </Button>
      <Button size="compact-sm" variant="subtle" color="gray" onClick={() => discard(outgoing)}>
        Discard
      </Button>
    </div>
  );
}
