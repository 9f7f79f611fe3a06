import { Alert, Anchor, Button, PasswordInput, TextInput } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { type SubmitEvent, type ReactNode, useEffect, useState } from "react";

import { ApiError } from "@/api/client";
import { oidcAddress, useSignInByLink, useSignInByPassword, useSignInMethods } from "@/api/session";

import classes from "./SignInPage.module.css";

/** The way in: by a one-time link, which only the button uses up; by password; by the identity provider. */
export default function SignInPage() {
  const { token, return_to: returnTo = "/" } = useSearch({ from: "/sign-in" });
  useEffect(() => {
    document.title = "Sign in · Retinue";
  }, []);
  return (
    <main className={classes.page}>
      <div className={classes.box}>
        <img src="/favicon.svg" alt="" width={40} height={40} />
        <h1 className={classes.title}>Sign in to Retinue</h1>
        {token ? <ByLink token={token} returnTo={returnTo} /> : <OtherWays returnTo={returnTo} />}
      </div>
    </main>
  );
}

function useEnter(returnTo: string): () => void {
  const navigate = useNavigate();
  return () => void navigate({ href: returnTo, replace: true });
}

function ByLink({ token, returnTo }: { token: string; returnTo: string }) {
  const enter = useEnter(returnTo);
  const signIn = useSignInByLink();
  if (signIn.isError) {
    const used = signIn.error instanceof ApiError && signIn.error.code === "sign_in_refused";
    return (
      <>
        <Failure error={signIn.error} title={used ? "This link no longer works" : "Couldn't sign in"} />
        {used ? (
          <p className={classes.words}>
            A link works once, for 15 minutes. Ask an admin for a new one, or start Retinue again: it prints one.
          </p>
        ) : (
          <Button fullWidth size="md" onClick={() => signIn.mutate(token, { onSuccess: enter })}>
            Try again
          </Button>
        )}
        <Anchor component={Link} to="/sign-in" className={classes.other}>
          Sign in another way
        </Anchor>
      </>
    );
  }
  return (
    <>
      <p className={classes.words}>Your one-time link is ready. It works once.</p>
      <Button fullWidth size="md" autoFocus loading={signIn.isPending} onClick={() => signIn.mutate(token, { onSuccess: enter })}>
        Sign in
      </Button>
    </>
  );
}

function OtherWays({ returnTo }: { returnTo: string }) {
  const methods = useSignInMethods();
  const provider = methods.data?.provider;
  return (
    <>
      {provider && (
        <>
          <Button component="a" href={oidcAddress(returnTo)} fullWidth size="md" variant="default">
            Continue with {provider}
          </Button>
          <div className={classes.or}>or</div>
        </>
      )}
      <ByPassword returnTo={returnTo} />
      <p className={classes.note}>
        No password yet? Open the one-time link you were given. Retinue prints one for its owner when it starts.
      </p>
    </>
  );
}

function ByPassword({ returnTo }: { returnTo: string }) {
  const enter = useEnter(returnTo);
  const signIn = useSignInByPassword();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [account, setAccount] = useState<string | null>(null);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const body = { email: email.trim(), password, ...(account?.trim() ? { account: account.trim() } : {}) };
    signIn.mutate(body, { onSuccess: enter });
  };
  return (
    <form className={classes.form} onSubmit={submit}>
      {signIn.isError && <Failure error={signIn.error} title="Couldn't sign in" />}
      <TextInput
        label="E-mail"
        type="email"
        name="email"
        autoComplete="username"
        required
        withAsterisk={false}
        autoFocus
        size="md"
        value={email}
        onChange={(event) => setEmail(event.currentTarget.value)}
      />
      <PasswordInput
        label="Password"
        name="password"
        autoComplete="current-password"
        required
        withAsterisk={false}
        size="md"
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
        visibilityToggleButtonProps={{ "aria-label": "Show the password" }}
      />
      {account !== null && (
        <TextInput
          label="Account"
          description="Its short name, where your address is in several."
          name="account"
          size="md"
          value={account}
          onChange={(event) => setAccount(event.currentTarget.value)}
        />
      )}
      <Button type="submit" fullWidth size="md" loading={signIn.isPending}>
        Sign in
      </Button>
      {account === null && (
        <Anchor component="button" type="button" className={classes.other} onClick={() => setAccount("")}>
          I am in several accounts
        </Anchor>
      )}
    </form>
  );
}

function Failure({ error, title }: { error: unknown; title: string }): ReactNode {
  const detail = error instanceof ApiError ? error.detail : "Try again in a moment.";
  return (
    <Alert color="red" title={title} role="alert" className={classes.failure}>
      {detail}
    </Alert>
  );
}
