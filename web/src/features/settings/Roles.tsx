/** Worker roles: what agents of a role may do alone. A role only takes away; it gives no agent anything. */
import { Button, Group, Modal, Text } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { useAgents } from "@/api/agents";
import { useMe } from "@/api/me";
import { useDeleteRole, useRoles, type WorkerRole } from "@/api/roles";
import { isAdmin } from "@/lib/roles";
import { EmptyState } from "@/ui/EmptyState";
import { notifyDone, notifyError } from "@/ui/notify";

import { Loaded, Section } from "./parts";
import { RoleForm } from "./RoleForm";
import { boundsWords, TIERS } from "./roleForm";
import classes from "./SettingsPage.module.css";

export default function Roles() {
  const me = useMe();
  const admin = isAdmin(me.data);
  const roles = useRoles(admin);
  const [making, setMaking] = useState(false);
  if (me.data && !admin) return <EmptyState title="Roles are set by admins.">What an agent may do you see on its page.</EmptyState>;
  return (
    <Section
      title="Worker roles"
      help="What agents of a role may do alone. A role only takes away: it gives no agent a tool that it does not have."
      action={
        !making && (
          <Button leftSection={<IconPlus size={16} stroke={1.5} />} onClick={() => setMaking(true)}>
            New role
          </Button>
        )
      }
    >
      {making && <RoleForm role={null} onDone={() => setMaking(false)} />}
      <Loaded query={roles} what="the roles">
        {(data) =>
          data.length === 0 && !making ? (
            <EmptyState title="No roles yet.">Every agent is bounded by its own settings and by policies. A role bounds several at once.</EmptyState>
          ) : (
            data.length > 0 && (
              <ul className={classes.list} aria-label="Worker roles">
                {data.map((role) => (
                  <Row key={role.id} role={role} />
                ))}
              </ul>
            )
          )
        }
      </Loaded>
    </Section>
  );
}

function Row({ role }: { role: WorkerRole }) {
  const [editing, setEditing] = useState(false);
  if (editing) {
    return (
      <li style={{ padding: "16px 0" }}>
        <RoleForm role={role} onDone={() => setEditing(false)} />
      </li>
    );
  }
  const bounds = boundsWords(role);
  return (
    <li>
      <div className={classes.row}>
        <div className={classes.what}>
          <div className={classes.name}>{role.name}</div>
          <div className={classes.dim}>
            {TIERS[role.autonomy_tier].label}
            {bounds && `: ${bounds}`}
          </div>
          {role.description && <div className={classes.dim}>{role.description}</div>}
          <Users role={role} />
        </div>
        <div className={classes.actions}>
          <Button size="xs" variant="default" aria-label={`Edit ${role.name}`} onClick={() => setEditing(true)}>
            Edit
          </Button>
          {role.agents.length === 0 && <Remove role={role} />}
        </div>
      </div>
    </li>
  );
}

function Users({ role }: { role: WorkerRole }) {
  const agents = useAgents().data;
  if (role.agents.length === 0) return <div className={classes.dim}>No agent has it.</div>;
  return (
    <div className={classes.dim}>
      Of{" "}
      {role.agents.map((id, at) => (
        <span key={id}>
          {at > 0 && ", "}
          <Link to="/agents/$agentId" params={{ agentId: id }}>
            {agents?.find((agent) => agent.id === id)?.name ?? "an agent"}
          </Link>
        </span>
      ))}
    </div>
  );
}

function Remove({ role }: { role: WorkerRole }) {
  const [asking, setAsking] = useState(false);
  const remove = useDeleteRole();
  const onRemove = () =>
    remove
      .mutateAsync(role.id)
      .then(
        () => notifyDone(`${role.name} is removed.`), // the row is gone by then
        (error: unknown) => notifyError(error, `Couldn't remove ${role.name}`),
      )
      .finally(() => setAsking(false));
  return (
    <>
      <Button size="xs" variant="default" aria-label={`Remove ${role.name}`} onClick={() => setAsking(true)}>
        Remove
      </Button>
      <Modal opened={asking} onClose={() => setAsking(false)} title={`Remove ${role.name}?`} size="sm" closeButtonProps={{ "aria-label": "Close" }}>
        <Text size="sm">No agent has this role, so nothing changes for any of them.</Text>
        <Group justify="flex-end" mt="lg" gap="sm">
          <Button variant="default" onClick={() => setAsking(false)} data-autofocus>
            Keep it
          </Button>
          <Button color="red" loading={remove.isPending} onClick={() => void onRemove()}>
            Remove
          </Button>
        </Group>
      </Modal>
    </>
  );
}
