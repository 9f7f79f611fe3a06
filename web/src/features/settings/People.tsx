/** The people of the account: roles, invitations, who may sign in. */
import { ActionIcon, Button, Menu, Select } from "@mantine/core";
import { IconDots, IconPlus } from "@tabler/icons-react";
import { useState } from "react";

import { useMe, type Me } from "@/api/me";
import { useMakeLink, usePeople, useSetRole, useUpdateUser, type Person, type SignInLink } from "@/api/members";
import { plural } from "@/lib/format";
import { givable, isAdmin, isLastOwner, mayManage, ROLE_WORDS, type Role } from "@/lib/roles";
import { Avatar } from "@/ui/Avatar";
import { offerUndo } from "@/ui/ConfirmUndo";
import { notifyDone, notifyError } from "@/ui/notify";

import { InviteForm, LinkBox } from "./Invite";
import { Loaded, ReadOnly, Section } from "./parts";
import classes from "./SettingsPage.module.css";

interface Link {
  person: Person;
  link: SignInLink;
}

export default function People() {
  const me = useMe();
  const people = usePeople();
  const [inviting, setInviting] = useState(false);
  const [link, setLink] = useState<Link | null>(null);
  const admin = isAdmin(me.data);
  return (
    <Section
      title="People"
      help={people.data && `${plural(people.data.filter(active).length, "person", "people")} may sign in.`}
      action={
        admin &&
        !inviting && (
          <Button leftSection={<IconPlus size={16} stroke={1.5} />} onClick={() => setInviting(true)}>
            Invite
          </Button>
        )
      }
    >
      {me.data && !admin && <ReadOnly>Only admins invite people and change roles.</ReadOnly>}
      {link && <LinkBox {...link} onDone={() => setLink(null)} />}
      {inviting && me.data && (
        <InviteForm
          roles={givable(me.data.role)}
          onInvited={(invited) => {
            setLink(invited);
            setInviting(false);
          }}
          onCancel={() => setInviting(false)}
        />
      )}
      <Loaded query={people} what="the people">
        {(data) => (
          <ul className={classes.list}>
            {[...data].sort(byName).map((person) => (
              <PersonRow key={person.id} person={person} people={data} me={me.data} onLink={setLink} />
            ))}
          </ul>
        )}
      </Loaded>
    </Section>
  );
}

function active(person: Person): boolean {
  return person.status === "active" && person.role !== null;
}

function byName(a: Person, b: Person): number {
  return Number(active(b)) - Number(active(a)) || a.name.localeCompare(b.name);
}

interface RowProps {
  person: Person;
  people: readonly Person[];
  me: Me | undefined;
  onLink: (link: Link) => void;
}

function PersonRow({ person, people, me, onLink }: RowProps) {
  const own = person.id === me?.user.id;
  const managed = Boolean(me && isAdmin(me) && mayManage(me.role, person.role ?? "member"));
  const last = isLastOwner(people, person.id);
  return (
    <li className={`${classes.row} ${classes.person}`}>
      <Avatar name={person.name} size={28} />
      <div className={classes.what}>
        <div className={active(person) ? classes.name : classes.gone}>
          {person.name}
          {own && " (you)"}
        </div>
        <div className={classes.dim} title={person.email}>
          {person.email}
        </div>
      </div>
      <div className={classes.actions}>
        {!active(person) && <span className={classes.dim}>Deactivated</span>}
        {managed && active(person) ? (
          <RoleSelect person={person} caller={me?.role ?? "member"} last={last} />
        ) : (
          person.role && <span className={classes.dim}>{ROLE_WORDS[person.role].label}</span>
        )}
        {managed && <PersonMenu person={person} own={own} last={last} onLink={onLink} />}
      </div>
    </li>
  );
}

const LAST_OWNER = "The last owner stays one: make somebody else an owner first.";

function RoleSelect({ person, caller, last }: { person: Person; caller: Role; last: boolean }) {
  const setRole = useSetRole();
  const before = person.role ?? "member";
  function set(role: Role, back = false): void {
    setRole.mutate(
      { user: person.id, role },
      {
        onSuccess: () => {
          const message = `${person.name} is ${ROLE_WORDS[role].label.toLowerCase()} now.`;
          if (back) notifyDone(message);
          else offerUndo({ message, undo: () => set(before, true) });
        },
        onError: (error) => notifyError(error, `Couldn't change ${person.name}'s role`),
      },
    );
  }
  return (
    <Select
      size="xs"
      className={classes.role}
      aria-label={`Role of ${person.name}`}
      data={givable(caller).map((role) => ({ value: role, label: ROLE_WORDS[role].label }))}
      value={before}
      allowDeselect={false}
      disabled={last || setRole.isPending}
      title={last ? LAST_OWNER : ROLE_WORDS[before].help}
      onChange={(role) => role && role !== before && set(role)}
    />
  );
}

interface MenuProps {
  person: Person;
  own: boolean;
  last: boolean;
  onLink: (link: Link) => void;
}

function PersonMenu({ person, own, last, onLink }: MenuProps) {
  const makeLink = useMakeLink();
  const update = useUpdateUser();
  const suspended = person.status === "suspended";

  function onNewLink(): void {
    makeLink.mutate(person.id, {
      onSuccess: (link) => onLink({ person, link }),
      onError: (error) => notifyError(error, "Couldn't make a link"),
    });
  }

  function setStatus(status: "active" | "suspended"): void {
    update.mutate(
      { user: person.id, changes: { status } },
      {
        onSuccess: () => {
          const message = `${person.name} is signed out and may not sign in.`;
          if (status === "active") notifyDone(`${person.name} may sign in again.`);
          else offerUndo({ message, undo: () => setStatus("active") });
        },
        onError: (error) => notifyError(error, `Couldn't change ${person.name}`),
      },
    );
  }

  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <ActionIcon aria-label={`More about ${person.name}`}>
          <IconDots size={18} stroke={1.5} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {!suspended && <Menu.Item onClick={onNewLink}>Make a sign-in link</Menu.Item>}
        {suspended ? (
          <Menu.Item onClick={() => setStatus("active")}>Let them sign in again</Menu.Item>
        ) : own ? (
          <Menu.Item disabled>You cannot deactivate yourself</Menu.Item>
        ) : last ? (
          <Menu.Item disabled>{LAST_OWNER}</Menu.Item>
        ) : (
          <Menu.Item onClick={() => setStatus("suspended")}>Deactivate</Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
