/** Inviting someone: they are added, and a link that signs them in once is shown this once. */
import { Button, Group, Select, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useEffect, useRef } from "react";

import { ApiError } from "@/api/client";
import { useInvite, type Person, type SignInLink } from "@/api/members";
import { ROLE_WORDS, type Role } from "@/lib/roles";
import { clock } from "@/lib/time";
import { notifyError } from "@/ui/notify";

import { Secret } from "./parts";
import classes from "./SettingsPage.module.css";

interface Values {
  name: string;
  email: string;
  role: Role;
}

interface Props {
  roles: readonly Role[];
  onInvited: (invited: { person: Person; link: SignInLink }) => void;
  onCancel: () => void;
}

export function InviteForm({ roles, onInvited, onCancel }: Props) {
  const invite = useInvite();
  const form = useForm<Values>({
    initialValues: { name: "", email: "", role: "member" },
    validate: {
      name: (value) => (value.trim() ? null : "Say what people call them."),
      email: (value) => (/^[^@\s]+@[^@\s]+$/.test(value.trim()) ? null : "Use an address such as ada@example.org."),
    },
  });
  function save({ name, email, role }: Values): void {
    invite.mutate(
      { name: name.trim(), email: email.trim(), role },
      {
        onSuccess: onInvited,
        onError: (error) => {
          const fields = error instanceof ApiError ? error.fields() : {};
          if (error instanceof ApiError && error.code === "already_exists") fields["email"] = error.detail;
          form.setErrors(fields);
          if (Object.keys(fields).length === 0) notifyError(error, "Couldn't invite them");
        },
      },
    );
  }
  return (
    <form className={classes.form} onSubmit={form.onSubmit(save)} noValidate aria-label="Invite someone">
      <TextInput label="Name" autoFocus autoComplete="off" {...form.getInputProps("name")} />
      <TextInput label="E-mail" type="email" autoComplete="off" {...form.getInputProps("email")} />
      <Select
        label="Role"
        data={roles.map((role) => ({ value: role, label: ROLE_WORDS[role].label }))}
        description={ROLE_WORDS[form.values.role].help}
        inputWrapperOrder={["label", "input", "description", "error"]}
        allowDeselect={false}
        {...form.getInputProps("role")}
      />
      <Group gap="sm">
        <Button type="submit" loading={invite.isPending}>
          Add and make a link
        </Button>
        <Button variant="default" onClick={onCancel}>
          Cancel
        </Button>
      </Group>
    </form>
  );
}

export function LinkBox({ person, link, onDone }: { person: Person; link: SignInLink; onDone: () => void }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.focus(), [link.id]);
  const url = link.url ?? `${window.location.origin}/sign-in?token=${link.token}`;
  return (
    <div ref={box} className={classes.section} role="region" aria-label={`Link for ${person.name}`} tabIndex={-1}>
      <p className={classes.notice}>
        Give this link to {person.name} alone. It works once, until {clock(link.expires_at)}, and is shown this once; you can make
        another at any time.
      </p>
      <Secret text={url} label="the link" />
      <Group>
        <Button variant="default" onClick={onDone}>
          Done
        </Button>
      </Group>
    </div>
  );
}
