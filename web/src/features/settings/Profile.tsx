/** Oneself: name, e-mail, time zone and locale. */
import { Button, Group, Select, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";

import { ApiError, type Schemas } from "@/api/client";
import { useMe, useUpdateMe, type Me } from "@/api/me";
import { locales, sample, zones } from "@/lib/places";
import { isAdmin, ROLE_WORDS } from "@/lib/roles";
import { notifyDone, notifyError } from "@/ui/notify";

import { Loaded, Section } from "./parts";
import classes from "./SettingsPage.module.css";

export default function Profile() {
  const me = useMe();
  return (
    <Loaded query={me} what="your profile">
      {(data) => <ProfileForm key={data.user.id} me={data} />}
    </Loaded>
  );
}

interface Values {
  name: string;
  email: string;
  time_zone: string;
  locale: string;
}

const BELOW: ("label" | "input" | "description" | "error")[] = ["label", "input", "description", "error"];

function ProfileForm({ me }: { me: Me }) {
  const admin = isAdmin(me);
  const update = useUpdateMe();
  const { name, email, time_zone, locale } = me.user;
  const form = useForm<Values>({
    initialValues: { name, email, time_zone, locale },
    validate: {
      name: (value) => (value.trim() ? null : "Say what people call you."),
      email: (value) => (/^[^@\s]+@[^@\s]+$/.test(value) ? null : "Use an address such as you@example.org."),
    },
  });

  function save(values: Values): void {
    const changed = (Object.keys(values) as (keyof Values)[]).filter((key) => values[key] !== me.user[key]);
    const changes: Schemas["UserChanges"] = Object.fromEntries(changed.map((key) => [key, values[key].trim()]));
    update.mutate(
      { userId: me.user.id, changes },
      {
        onSuccess: () => {
          form.resetDirty(values);
          notifyDone("Your profile is saved.");
        },
        onError: (error) => {
          const fields = error instanceof ApiError ? error.fields() : {};
          if (error instanceof ApiError && error.code === "already_exists") fields["email"] = error.detail;
          form.setErrors(fields);
          if (Object.keys(fields).length === 0) notifyError(error, "Couldn't save your profile");
        },
      },
    );
  }

  const shown = sample(form.values.locale, form.values.time_zone, new Date());
  return (
    <Section title="Profile" help={`You are ${article(me.role)} ${ROLE_WORDS[me.role].label.toLowerCase()} of ${me.account.name}.`}>
      <form className={classes.form} onSubmit={form.onSubmit(save)} noValidate>
        <TextInput label="Name" autoComplete="name" withAsterisk {...form.getInputProps("name")} />
        <TextInput
          label="E-mail"
          type="email"
          autoComplete="email"
          readOnly={!admin}
          description={admin ? undefined : "What you sign in with. An admin can change it."}
          inputWrapperOrder={BELOW}
          {...form.getInputProps("email")}
        />
        <Select
          label="Time zone"
          searchable
          allowDeselect={false}
          nothingFoundMessage="No such time zone"
          data={zones(time_zone)}
          limit={100}
          {...form.getInputProps("time_zone")}
        />
        <Select
          label="Language and region"
          searchable
          allowDeselect={false}
          nothingFoundMessage="No such language"
          data={locales(locale)}
          description={shown ? `Dates look like: ${shown}` : "This browser cannot show dates this way."}
          inputWrapperOrder={BELOW}
          {...form.getInputProps("locale")}
        />
        <Group>
          <Button type="submit" loading={update.isPending} disabled={!form.isDirty()}>
            Save
          </Button>
        </Group>
      </form>
    </Section>
  );
}

function article(role: string): string {
  return /^[aeiou]/.test(role) ? "an" : "a";
}
