/** Who may use the agent and what its tools may not do for them; how it is registered; how far it is rolled out. */
import { Button, Select } from "@mantine/core";
import { IconUser, IconUsers, IconWorld } from "@tabler/icons-react";
import { useState } from "react";

import type { Agent } from "@/api/agents";
import { usePeople } from "@/api/members";
import { useIsAdmin } from "@/api/me";
import { useAssign, useAssignments, useUnassign, type Assignment } from "@/api/registry";
import { useTeams } from "@/api/teams";
import { offerUndo } from "@/ui/ConfirmUndo";
import { ErrorState } from "@/ui/ErrorState";
import { ListSkeleton } from "@/ui/ListSkeleton";
import { notifyError } from "@/ui/notify";

import classes from "./Access.module.css";
import { Registered } from "./Registered";
import { Restrictions } from "./Restrictions";
import { restrictionWords } from "./restrictions";
import { Section } from "./Section";
import { Stage } from "./Stage";

export function Access({ agent }: { agent: Agent }) {
  const admin = useIsAdmin();
  return (
    <div className={classes.parts}>
      <Assigned agent={agent} admin={admin} />
      {admin && <Registered agent={agent} />}
      {admin && <Stage agent={agent} />}
    </div>
  );
}

function Assigned({ agent, admin }: { agent: Agent; admin: boolean }) {
  const assignments = useAssignments(agent.id);
  const [editing, setEditing] = useState<string | null>(null);
  return (
    <Section
      title="Who can use it"
      help="Those it is assigned to see it and can ask it. Where several ways lead to it, what is taken away on any of them holds."
    >
      {!assignments.data ? (
        assignments.isError ? (
          <ErrorState inline error={assignments.error} what="who can use it" retry={() => void assignments.refetch()} />
        ) : (
          <ListSkeleton rows={2} height={52} label="Loading who can use it" />
        )
      ) : (
        <>
          {assignments.data.length === 0 && (
            <p className={classes.note}>{admin ? "Nobody yet: only admins see it, and it works for nobody." : "No team that you lead."}</p>
          )}
          {assignments.data.length > 0 && (
            <ul className={classes.list} aria-label="Who can use it">
              {assignments.data.map((one) => (
                <Row key={one.id} agent={agent} one={one} admin={admin} editing={editing === one.id} onEdit={setEditing} />
              ))}
            </ul>
          )}
          {admin && <Add agent={agent} known={assignments.data} />}
        </>
      )}
    </Section>
  );
}

const ICONS = { account: IconWorld, team: IconUsers, user: IconUser };

interface RowProps {
  agent: Agent;
  one: Assignment;
  admin: boolean;
  editing: boolean;
  onEdit: (id: string | null) => void;
}

function Row({ agent, one, admin, editing, onEdit }: RowProps) {
  const unassign = useUnassign(agent.id);
  const assign = useAssign(agent.id);
  const Icon = ICONS[one.scope];
  const name = one.scope === "account" ? "Everyone" : one.name;
  const words = restrictionWords(one.tool_restrictions);
  const back = () =>
    assign.mutate(
      { scope: one.scope, scope_id: one.scope_id, tool_restrictions: one.tool_restrictions },
      { onError: (error) => notifyError(error, `Couldn't assign it to ${name} again`) },
    );
  const end = () =>
    unassign.mutateAsync(one.id).then(
      () => offerUndo({ message: `${name} can no longer use ${agent.name} by this way.`, undo: back }), // the row is gone by then
      (error: unknown) => notifyError(error, `Couldn't take it from ${name}`),
    );
  return (
    <li>
      <div className={classes.row}>
        <Icon size={18} stroke={1.5} aria-hidden className={classes.icon} />
        <div className={classes.what}>
          {name}
          <div className={classes.dim}>{words ?? "All that it may do"}</div>
          {one.absent.length > 0 && <div className={classes.dim}>It does not have {one.absent.join(", ")}.</div>}
        </div>
        {!editing && (
          <div className={classes.actions}>
            <Button size="xs" variant="default" aria-label={`Restrict tools for ${name}`} onClick={() => onEdit(one.id)}>
              Restrict
            </Button>
            {(admin || words === null) && (
              <Button size="xs" variant="default" aria-label={`Take away from ${name}`} loading={unassign.isPending} onClick={() => void end()}>
                Take away
              </Button>
            )}
          </div>
        )}
      </div>
      {editing && <Restrictions agent={agent} one={one} name={name} onDone={() => onEdit(null)} />}
    </li>
  );
}

function Add({ agent, known }: { agent: Agent; known: readonly Assignment[] }) {
  const assign = useAssign(agent.id);
  const teams = useTeams().data ?? [];
  const people = (usePeople().data ?? []).filter((person) => person.status === "active" && person.role);
  const taken = new Set(known.map((one) => `${one.scope} ${one.scope === "account" ? "" : one.scope_id}`));
  const free = (value: string) => !taken.has(value);
  const data = [
    { group: "All", items: [{ value: "account ", label: "Everyone" }].filter(({ value }) => free(value)) },
    { group: "Teams", items: teams.map((team) => ({ value: `team ${team.id}`, label: team.name })).filter(({ value }) => free(value)) },
    { group: "People", items: people.map((person) => ({ value: `user ${person.id}`, label: person.name })).filter(({ value }) => free(value)) },
  ].filter(({ items }) => items.length > 0);
  const add = (value: string | null) => {
    if (!value) return;
    const [scope = "", id = ""] = value.split(" ");
    assign.mutate(
      { scope: scope as Assignment["scope"], ...(id ? { scope_id: id } : {}) },
      { onError: (error) => notifyError(error, "Couldn't assign it") },
    );
  };
  return (
    <Select
      maw={320}
      aria-label="Assign it to"
      placeholder="Assign it to…"
      searchable
      disabled={assign.isPending}
      nothingFoundMessage="Nobody of that name"
      data={data}
      value={null}
      onChange={add}
    />
  );
}
