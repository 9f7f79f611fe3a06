/** Teams: made, renamed, filled, removed. */
import { Button, Group, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";

import { ApiError } from "@/api/client";
import { useMe } from "@/api/me";
import { useCreateTeam, useTeams } from "@/api/teams";
import { isAdmin } from "@/lib/roles";
import { EmptyState } from "@/ui/EmptyState";
import { notifyDone, notifyError } from "@/ui/notify";

import { Loaded, ReadOnly, Section } from "./parts";
import classes from "./SettingsPage.module.css";
import { TeamRow } from "./TeamRow";
import { slugOf } from "./slugs";

export default function Teams() {
  const me = useMe();
  const teams = useTeams();
  const [making, setMaking] = useState(false);
  const admin = isAdmin(me.data);
  return (
    <Section
      title="Teams"
      help="People who share channels. A team's channels are open to all of its members."
      action={
        admin &&
        !making && (
          <Button leftSection={<IconPlus size={16} stroke={1.5} />} onClick={() => setMaking(true)}>
            New team
          </Button>
        )
      }
    >
      {me.data && !admin && <ReadOnly>Only admins make teams; admins and a team's leads fill it.</ReadOnly>}
      {making && <NewTeam onDone={() => setMaking(false)} />}
      <Loaded query={teams} what="the teams">
        {(data) =>
          data.length === 0 ? (
            <EmptyState title="Everyone works as one.">Make a team when some people need channels of their own.</EmptyState>
          ) : (
            <ul className={classes.list}>
              {[...data]
                .sort((a, b) => a.name.localeCompare(b.name))
                .map((team) => (
                  <TeamRow key={team.id} team={team} admin={admin} me={me.data?.user.id ?? ""} />
                ))}
            </ul>
          )
        }
      </Loaded>
    </Section>
  );
}

function NewTeam({ onDone }: { onDone: () => void }) {
  const create = useCreateTeam();
  const form = useForm({
    initialValues: { name: "" },
    validate: { name: (value) => (value.trim() ? null : "Give the team a name.") },
  });
  function save({ name }: { name: string }): void {
    create.mutate(
      { name: name.trim(), slug: slugOf(name) },
      {
        onSuccess: (team) => {
          notifyDone(`${team.name} is made.`);
          onDone();
        },
        onError: (error) => {
          const found = error instanceof ApiError && error.code === "already_exists" ? { name: error.detail } : null;
          const fields = found ?? (error instanceof ApiError ? error.fields() : {});
          form.setErrors(fields);
          if (Object.keys(fields).length === 0) notifyError(error, "Couldn't make the team");
        },
      },
    );
  }
  return (
    <form className={classes.form} onSubmit={form.onSubmit(save)} noValidate aria-label="New team">
      <TextInput label="Name" autoFocus autoComplete="off" maxLength={200} {...form.getInputProps("name")} />
      <Group gap="sm">
        <Button type="submit" loading={create.isPending}>
          Make team
        </Button>
        <Button variant="default" onClick={onDone}>
          Cancel
        </Button>
      </Group>
    </form>
  );
}
