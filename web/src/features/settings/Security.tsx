/** One's password, and where one is signed in. */
import { Button, Group, PasswordInput } from "@mantine/core";
import { useForm } from "@mantine/form";

import { ApiError } from "@/api/client";
import { useMe } from "@/api/me";
import { useEndOtherSessions, useEndSession, useOpenSessions, useSetPassword, type OpenSession } from "@/api/security";
import { exact } from "@/lib/time";
import { notifyDone, notifyError } from "@/ui/notify";
import { TimeAgo } from "@/ui/TimeAgo";

import { Loaded, Section } from "./parts";
import classes from "./SettingsPage.module.css";
import { deviceOf } from "./userAgent";

export default function Security() {
  const me = useMe();
  return (
    <>
      <Loaded query={me} what="your sign-in">
        {(data) => <Password existing={data.has_password} email={data.user.email} />}
      </Loaded>
      <Sessions />
    </>
  );
}

const LEAST = 10;
const MOST = 200;

function Password({ existing, email }: { existing: boolean; email: string }) {
  const set = useSetPassword();
  const form = useForm({
    initialValues: { current: "", password: "" },
    validate: {
      current: (value) => (existing && !value ? "Enter the password you have now." : null),
      password: (value) => {
        if (value.length < LEAST) return `Use at least ${LEAST} characters.`;
        return value.length > MOST ? `Use at most ${MOST} characters.` : null;
      },
    },
  });

  function save(values: { current: string; password: string }): void {
    set.mutate(
      { password: values.password, current: existing ? values.current : null },
      {
        onSuccess: () => {
          form.reset();
          notifyDone(existing ? "Your password is changed. Your other sessions are signed out." : "Your password is set.");
        },
        onError: (error) => {
          const fields = error instanceof ApiError ? error.fields() : {};
          form.setErrors(fields);
          if (Object.keys(fields).length === 0) notifyError(error, "Couldn't set the password");
        },
      },
    );
  }

  const help = existing
    ? "Changing it signs you out everywhere else."
    : "You have none yet: you sign in by a link. With a password you can also sign in by yourself.";
  return (
    <Section title="Password" help={help}>
      <form className={classes.form} onSubmit={form.onSubmit(save)} noValidate>
        <input type="email" name="email" autoComplete="username" value={email} readOnly hidden />
        {existing && (
          <PasswordInput label="Password now" autoComplete="current-password" {...form.getInputProps("current")} />
        )}
        <PasswordInput
          label="New password"
          description={`At least ${LEAST} characters. A few words that only you put together are best.`}
          autoComplete="new-password"
          {...form.getInputProps("password")}
        />
        <Group>
          <Button type="submit" loading={set.isPending} disabled={!form.isDirty()}>
            {existing ? "Change password" : "Set password"}
          </Button>
        </Group>
      </form>
    </Section>
  );
}

function Sessions() {
  const sessions = useOpenSessions();
  const endOthers = useEndOtherSessions();
  const others = (sessions.data?.data ?? []).filter((session) => !session.current).length;
  function onEndOthers(): void {
    endOthers.mutate(undefined, {
      onSuccess: () => notifyDone("You are signed out everywhere else."),
      onError: (error) => notifyError(error, "Couldn't sign you out elsewhere"),
    });
  }
  return (
    <Section
      title="Where you are signed in"
      help="Sign out of what you do not know, then change your password."
      action={
        others > 0 && (
          <Button variant="default" size="xs" loading={endOthers.isPending} onClick={onEndOthers}>
            Sign out everywhere else
          </Button>
        )
      }
    >
      <Loaded query={sessions} what="your sessions" rows={2}>
        {({ data }) => (
          <ul className={classes.list}>
            {data.map((session) => (
              <SessionRow key={session.id} session={session} />
            ))}
          </ul>
        )}
      </Loaded>
    </Section>
  );
}

function SessionRow({ session }: { session: OpenSession }) {
  const end = useEndSession();
  const device = deviceOf(session.user_agent);
  return (
    <li className={classes.row}>
      <div className={classes.what}>
        <div>{device}</div>
        <div className={classes.dim} title={`Ends ${exact(session.expires_at)}`}>
          Since <TimeAgo when={session.created_at} />
        </div>
      </div>
      <div className={classes.actions}>
        {session.current ? (
          <span className={classes.dim}>This device</span>
        ) : (
          <Button
            size="xs"
            variant="default"
            loading={end.isPending}
            aria-label={`Sign out of ${device}`}
            onClick={() => end.mutate(session.id, { onError: (error) => notifyError(error, "Couldn't sign out there") })}
          >
            Sign out
          </Button>
        )}
      </div>
    </li>
  );
}
