/** Making an API key, and the one time its secret is shown. */
import { Button, Checkbox, Group, Select, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useEffect, useRef } from "react";

import { ApiError } from "@/api/client";
import { useCreateKey, type MadeKey, type Scope } from "@/api/keysAdmin";
import { CopyButton } from "@/ui/CopyButton";
import { notifyError } from "@/ui/notify";

import { curlExample, endOf, LIVES, SCOPES, type Life } from "./keyWords";
import { Secret } from "./parts";
import classes from "./SettingsPage.module.css";

interface Values {
  name: string;
  scopes: Scope[];
  life: Life;
}

interface Props {
  /** One can give only what one has. */
  scopes: readonly Scope[];
  onMade: (key: MadeKey) => void;
  onCancel: () => void;
}

export function NewKeyForm({ scopes, onMade, onCancel }: Props) {
  const create = useCreateKey();
  const form = useForm<Values>({
    initialValues: { name: "", scopes: (["read", "write"] as const).filter((scope) => scopes.includes(scope)), life: "90" },
    validate: {
      name: (value) => (value.trim() ? null : "Name it after what will use it."),
      scopes: (value) => (value.length > 0 ? null : "Choose at least one."),
    },
  });
  function save({ name, scopes: chosen, life }: Values): void {
    create.mutate(
      { name: name.trim(), scopes: chosen, expires_at: endOf(life) },
      {
        onSuccess: onMade,
        onError: (error) => {
          const fields = error instanceof ApiError ? error.fields() : {};
          if (fields["expires_at"]) fields["life"] = fields["expires_at"];
          form.setErrors(fields);
          if (Object.keys(fields).length === 0) notifyError(error, "Couldn't make the key");
        },
      },
    );
  }
  return (
    <form className={classes.form} onSubmit={form.onSubmit(save)} noValidate aria-label="New API key">
      <TextInput label="Name" placeholder="What will use it" maxLength={200} data-autofocus autoFocus {...form.getInputProps("name")} />
      <Checkbox.Group label="May" {...form.getInputProps("scopes")}>
        {(Object.keys(SCOPES) as Scope[]).map((scope) => (
          <Checkbox
            key={scope}
            mt={8}
            value={scope}
            label={SCOPES[scope].label}
            description={scopes.includes(scope) ? SCOPES[scope].help : "You do not have this here."}
            disabled={!scopes.includes(scope)}
          />
        ))}
      </Checkbox.Group>
      <Select label="Ends after" data={[...LIVES]} allowDeselect={false} {...form.getInputProps("life")} />
      <Group gap="sm">
        <Button type="submit" loading={create.isPending}>
          Make key
        </Button>
        <Button variant="default" onClick={onCancel}>
          Cancel
        </Button>
      </Group>
    </form>
  );
}

export function MadeKeyBox({ made, onDone }: { made: MadeKey; onDone: () => void }) {
  const box = useRef<HTMLDivElement>(null);
  const example = curlExample(window.location.origin, made.secret);
  useEffect(() => box.current?.focus(), []);
  return (
    <div ref={box} className={classes.section} role="region" aria-label={`The key ${made.name}`} tabIndex={-1}>
      <p className={classes.notice}>
        Copy {made.name} now: it is shown this once. Whoever has it may do what it may, so keep it as you keep a password.
      </p>
      <Secret text={made.secret} label="the key" />
      <div>
        <div className={classes.headRow}>
          <span className={classes.dim}>Try it</span>
          <CopyButton text={example} label="Copy the command" />
        </div>
        <pre className={classes.code} tabIndex={0} aria-label="Example command">
          {example}
        </pre>
      </div>
      <Group>
        <Button variant="default" onClick={onDone}>
          I have copied it
        </Button>
      </Group>
    </div>
  );
}
