/** The account itself: its name. */
import { Button, Group, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";

import { useAccount, useUpdateAccount } from "@/api/accounts";
import { ApiError, type Schemas } from "@/api/client";
import { useMe } from "@/api/me";
import { isAdmin } from "@/lib/roles";
import { CopyButton } from "@/ui/CopyButton";
import { notifyDone, notifyError } from "@/ui/notify";
import { TimeAgo } from "@/ui/TimeAgo";

import { Loaded, ReadOnly, Section } from "./parts";
import classes from "./SettingsPage.module.css";

export default function Account() {
  const account = useAccount();
  return (
    <Loaded query={account} what="the account">
      {(data) => <AccountForm key={data.id} account={data} />}
    </Loaded>
  );
}

function AccountForm({ account }: { account: Schemas["Account"] }) {
  const me = useMe();
  const admin = isAdmin(me.data);
  const update = useUpdateAccount();
  const form = useForm({
    initialValues: { name: account.name },
    validate: { name: (value) => (value.trim() ? null : "Give the account a name.") },
  });
  function save({ name }: { name: string }): void {
    update.mutate(
      { name: name.trim() },
      {
        onSuccess: () => {
          form.resetDirty({ name });
          notifyDone("The account is renamed.");
        },
        onError: (error) => {
          const fields = error instanceof ApiError ? error.fields() : {};
          form.setErrors(fields);
          if (Object.keys(fields).length === 0) notifyError(error, "Couldn't rename the account");
        },
      },
    );
  }
  return (
    <Section title="General" help="What everyone in the account sees.">
      {me.data && !admin && <ReadOnly />}
      <form className={classes.form} onSubmit={form.onSubmit(save)} noValidate>
        <TextInput label="Account name" readOnly={!admin} maxLength={200} {...form.getInputProps("name")} />
        {admin && (
          <Group>
            <Button type="submit" loading={update.isPending} disabled={!form.isDirty()}>
              Save
            </Button>
          </Group>
        )}
      </form>
      <dl className={classes.facts}>
        <dt>Short name</dt>
        <dd className={classes.mono}>{account.slug}</dd>
        <dt>Id</dt>
        <dd className={classes.mono}>
          {account.id} <CopyButton text={account.id} label="Copy the account's id" />
        </dd>
        <dt>Made</dt>
        <dd>
          <TimeAgo when={account.created_at} />
        </dd>
      </dl>
    </Section>
  );
}
