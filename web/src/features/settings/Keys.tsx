/** API keys: made, shown once, listed, revoked. */
import { Button, Group, Modal, Text } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";

import { useApiKeys, useRevokeKey, type ApiKey, type MadeKey } from "@/api/keysAdmin";
import { useMe, type Me } from "@/api/me";
import { usePeople } from "@/api/members";
import { isAdmin } from "@/lib/roles";
import { EmptyState } from "@/ui/EmptyState";
import { notifyDone, notifyError } from "@/ui/notify";
import { TimeAgo, useNow } from "@/ui/TimeAgo";

import { sortKeys, stateOfKey, SCOPES } from "./keyWords";
import { MadeKeyBox, NewKeyForm } from "./NewKey";
import { Loaded, Section } from "./parts";
import classes from "./SettingsPage.module.css";

export default function Keys() {
  const me = useMe();
  const keys = useApiKeys();
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<MadeKey | null>(null);
  const admin = isAdmin(me.data);
  return (
    <Section
      title="API keys"
      help={
        admin
          ? "For programs that talk with Retinue. As an admin you see everybody's; each acts as its owner."
          : "For programs that talk with Retinue as you."
      }
      action={
        !making &&
        me.data && (
          <Button leftSection={<IconPlus size={16} stroke={1.5} />} onClick={() => setMaking(true)}>
            New key
          </Button>
        )
      }
    >
      {made && <MadeKeyBox made={made} onDone={() => setMade(null)} />}
      {making && me.data && (
        <NewKeyForm
          scopes={me.data.scopes}
          onMade={(key) => {
            setMade(key);
            setMaking(false);
          }}
          onCancel={() => setMaking(false)}
        />
      )}
      <Loaded query={keys} what="the keys">
        {(data) =>
          data.length === 0 ? (
            <EmptyState title="No program has a key.">Make one when a script or service should talk with Retinue.</EmptyState>
          ) : (
            <KeyList keys={data} me={me.data} admin={admin} />
          )
        }
      </Loaded>
    </Section>
  );
}

function KeyList({ keys, me, admin }: { keys: readonly ApiKey[]; me: Me | undefined; admin: boolean }) {
  const now = useNow();
  const people = usePeople();
  const [asking, setAsking] = useState<ApiKey | null>(null);
  const names = new Map((people.data ?? []).map((person) => [person.id, person.name]));
  const owner = (key: ApiKey) => (!admin || key.user_id === me?.user.id ? null : (names.get(key.user_id) ?? "Somebody"));
  return (
    <>
      <ul className={classes.list}>
        {sortKeys(keys, now).map((key) => (
          <KeyRow key={key.id} apiKey={key} now={now} owner={owner(key)} current={key.id === me?.key_id} onRevoke={() => setAsking(key)} />
        ))}
      </ul>
      <Revoke asked={asking} onClose={() => setAsking(null)} />
    </>
  );
}

interface RowProps {
  apiKey: ApiKey;
  now: number;
  owner: string | null;
  current: boolean;
  onRevoke: () => void;
}

function KeyRow({ apiKey: key, now, owner, current, onRevoke }: RowProps) {
  const state = stateOfKey(key, now);
  return (
    <li className={classes.row}>
      <div className={classes.what}>
        <div className={state === "active" ? classes.name : classes.gone}>
          {key.name} <span className={classes.mono}>{key.prefix}</span>
        </div>
        <div className={classes.dim}>
          {[owner, key.scopes.map((scope) => SCOPES[scope].label.toLowerCase()).join(", "), current && "in use here"]
            .filter(Boolean)
            .join(" · ")}
        </div>
      </div>
      <div className={classes.dim}>
        {key.last_used_at ? (
          <>
            Used <TimeAgo when={key.last_used_at} />
          </>
        ) : (
          "Never used"
        )}
        <br />
        <Ends apiKey={key} state={state} />
      </div>
      <div className={classes.actions}>
        {state === "active" && (
          <Button size="xs" variant="default" aria-label={`Revoke ${key.name}`} onClick={onRevoke}>
            Revoke
          </Button>
        )}
      </div>
    </li>
  );
}

function Ends({ apiKey: key, state }: { apiKey: ApiKey; state: ReturnType<typeof stateOfKey> }) {
  if (state === "revoked" && key.revoked_at)
    return (
      <>
        Revoked <TimeAgo when={key.revoked_at} />
      </>
    );
  if (!key.expires_at) return <>No end</>;
  return (
    <>
      {state === "expired" ? "Ended" : "Ends"} <TimeAgo when={key.expires_at} />
    </>
  );
}

function Revoke({ asked, onClose }: { asked: ApiKey | null; onClose: () => void }) {
  const revoke = useRevokeKey();
  function onRevoke(key: ApiKey): void {
    revoke.mutate(key.id, {
      onSuccess: () => notifyDone(`${key.name} is revoked.`),
      onError: (error) => notifyError(error, `Couldn't revoke ${key.name}`),
      onSettled: onClose,
    });
  }
  return (
    <Modal
      opened={asked !== null}
      onClose={onClose}
      title={`Revoke ${asked?.name ?? "the key"}?`}
      size="sm"
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Text size="sm">Programs that use it are refused at once. This cannot be taken back.</Text>
      <Group justify="flex-end" mt="lg" gap="sm">
        <Button variant="default" onClick={onClose} data-autofocus>
          Keep it
        </Button>
        <Button color="red" loading={revoke.isPending} onClick={() => asked && onRevoke(asked)}>
          Revoke
        </Button>
      </Group>
    </Modal>
  );
}
