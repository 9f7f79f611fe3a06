/** One team; opened, its members and what can be done with it. */
import { Button, Group, Modal, Select, Text, TextInput, UnstyledButton } from "@mantine/core";
import { IconChevronDown, IconChevronRight } from "@tabler/icons-react";
import { useState } from "react";

import { usePeople, type Person } from "@/api/members";
import { useAddTeamMember, useDeleteTeam, useRemoveTeamMember, useTeamMembers, useUpdateTeam, type Team } from "@/api/teams";
import { names } from "@/lib/format";
import { ROLE_WORDS } from "@/lib/roles";
import { Avatar } from "@/ui/Avatar";
import { notifyDone, notifyError } from "@/ui/notify";

import { Loaded } from "./parts";
import classes from "./SettingsPage.module.css";

interface Props {
  team: Team;
  admin: boolean;
  /** Who looks. */
  me: string;
}

export function TeamRow({ team, admin, me }: Props) {
  const [open, setOpen] = useState(false);
  const members = useTeamMembers(team.id);
  const people = usePeople();
  const byId = new Map((people.data ?? []).map((person) => [person.id, person]));
  const known = (members.data ?? []).flatMap((member) => byId.get(member.user_id)?.name ?? []);
  const lead = members.data?.some((member) => member.user_id === me && member.role !== "member") ?? false;
  const Chevron = open ? IconChevronDown : IconChevronRight;
  return (
    <li>
      <div className={classes.row}>
        <UnstyledButton className={classes.what} aria-expanded={open} onClick={() => setOpen(!open)}>
          <Group gap="xs" wrap="nowrap">
            <Chevron size={16} stroke={1.5} style={{ flex: "none" }} aria-hidden />
            <span>
              <span className={classes.name}>{team.name}</span>
              <span className={classes.dim} style={{ display: "block" }}>
                {members.data ? names(known, 3) || "Nobody yet" : ""}
              </span>
            </span>
          </Group>
        </UnstyledButton>
        {admin && (
          <div className={classes.actions}>
            <Rename team={team} />
            <Remove team={team} />
          </div>
        )}
      </div>
      {open && (
        <div className={classes.members}>
          <Members team={team} may={admin || lead} people={byId} members={members} />
        </div>
      )}
    </li>
  );
}

interface MembersProps {
  team: Team;
  may: boolean;
  people: ReadonlyMap<string, Person>;
  members: ReturnType<typeof useTeamMembers>;
}

function Members({ team, may, people, members }: MembersProps) {
  const remove = useRemoveTeamMember(team.id);
  const add = useAddTeamMember(team.id);
  const inside = new Set((members.data ?? []).map((member) => member.user_id));
  const others = [...people.values()].filter((person) => !inside.has(person.id) && person.status === "active" && person.role);
  return (
    <>
      <Loaded query={members} what="the members" rows={2}>
        {(data) => (
          <ul className={classes.list}>
            {data.map((member) => {
              const name = people.get(member.user_id)?.name ?? "Somebody";
              return (
                <li key={member.id} className={classes.row}>
                  <Avatar name={name} size={24} />
                  <div className={classes.what}>{name}</div>
                  <div className={classes.actions}>
                    <span className={classes.dim}>{ROLE_WORDS[member.role].label}</span>
                    {may && (
                      <Button
                        size="xs"
                        variant="subtle"
                        color="gray"
                        aria-label={`Take ${name} out of ${team.name}`}
                        loading={remove.isPending && remove.variables === member.id}
                        onClick={() =>
                          remove.mutate(member.id, { onError: (error) => notifyError(error, `Couldn't take ${name} out`) })
                        }
                      >
                        Take out
                      </Button>
                    )}
                  </div>
                </li>
              );
            })}
          </ul>
        )}
      </Loaded>
      {may && (
        <Select
          mt="sm"
          maw={320}
          aria-label={`Add someone to ${team.name}`}
          placeholder={others.length > 0 ? "Add someone" : "Everyone is in"}
          disabled={others.length === 0 || add.isPending}
          searchable
          nothingFoundMessage="Nobody of that name"
          data={others.map((person) => ({ value: person.id, label: person.name }))}
          value={null}
          onChange={(user) =>
            user &&
            add.mutate({ user_id: user }, { onError: (error) => notifyError(error, `Couldn't add them to ${team.name}`) })
          }
        />
      )}
    </>
  );
}

function Rename({ team }: { team: Team }) {
  const [name, setName] = useState<string | null>(null);
  const update = useUpdateTeam(team.id);
  function save(): void {
    const wanted = name?.trim();
    if (!wanted || wanted === team.name) {
      setName(null);
      return;
    }
    update.mutate(
      { name: wanted },
      {
        onSuccess: () => setName(null),
        onError: (error) => notifyError(error, `Couldn't rename ${team.name}`),
      },
    );
  }
  return (
    <>
      <Button size="xs" variant="default" aria-label={`Rename ${team.name}`} onClick={() => setName(team.name)}>
        Rename
      </Button>
      <Modal
        opened={name !== null}
        onClose={() => setName(null)}
        title={`Rename ${team.name}`}
        size="sm"
        closeButtonProps={{ "aria-label": "Close" }}
      >
        <form
          onSubmit={(event) => {
            event.preventDefault();
            save();
          }}
        >
          <TextInput
            label="Name"
            maxLength={200}
            value={name ?? ""}
            data-autofocus
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Group justify="flex-end" mt="lg" gap="sm">
            <Button variant="default" onClick={() => setName(null)}>
              Cancel
            </Button>
            <Button type="submit" loading={update.isPending} disabled={!name?.trim()}>
              Rename
            </Button>
          </Group>
        </form>
      </Modal>
    </>
  );
}

function Remove({ team }: { team: Team }) {
  const [asking, setAsking] = useState(false);
  const remove = useDeleteTeam();
  function onRemove(): void {
    remove.mutate(team.id, {
      onSuccess: () => notifyDone(`${team.name} is removed.`),
      onError: (error) => notifyError(error, `Couldn't remove ${team.name}`),
      onSettled: () => setAsking(false),
    });
  }
  return (
    <>
      <Button size="xs" variant="default" aria-label={`Remove ${team.name}`} onClick={() => setAsking(true)}>
        Remove
      </Button>
      <Modal
        opened={asking}
        onClose={() => setAsking(false)}
        title={`Remove ${team.name}?`}
        size="sm"
        closeButtonProps={{ "aria-label": "Close" }}
      >
        <Text size="sm">
          Its channels and everything said in them go with it. The people stay in the account. This cannot be taken back.
        </Text>
        <Group justify="flex-end" mt="lg" gap="sm">
          <Button variant="default" onClick={() => setAsking(false)} data-autofocus>
            Keep it
          </Button>
          <Button color="red" loading={remove.isPending} onClick={onRemove}>
            Remove
          </Button>
        </Group>
      </Modal>
    </>
  );
}
