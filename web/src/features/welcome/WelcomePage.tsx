import { Button, TextInput, UnstyledButton } from "@mantine/core";
import { IconArrowRight, IconArrowUp } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { type SubmitEvent, useState } from "react";

import { type Agent, useAgents } from "@/api/agents";
import type { Schemas } from "@/api/client";
import { useIsAdmin, useMe } from "@/api/me";
import { useModels } from "@/api/models";
import { Avatar } from "@/ui/Avatar";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorState } from "@/ui/ErrorState";
import { StateDot } from "@/ui/StateDot";

import { greeter, suggestions } from "./suggestions";
import { useBegin } from "./useBegin";
import classes from "./WelcomePage.module.css";

/** The first page of a new person: how things stand, and three things to try with the Assistant. */
export default function WelcomePage() {
  const me = useMe().data;
  const models = useModels();
  const agents = useAgents();
  const failed = models.isError ? models : agents.isError ? agents : null;
  if (failed) return <ErrorState page error={failed.error} retry={() => void failed.refetch()} what="the welcome" />;
  if (!models.data || !agents.data || !me) return <div aria-busy="true" />;
  const agent = greeter(agents.data);
  return (
    <div className={classes.page}>
      <h1 className={classes.title}>Welcome, {firstName(me.user.name)}</h1>
      <p className={classes.lead}>Here people and AI agents work side by side. Whatever an agent does, you can open and look at.</p>
      <Models models={models.data} />
      {agent ? <Try agent={agent} offline={models.data.offline} /> : <NoAgent />}
    </div>
  );
}

function firstName(name: string): string {
  return name.split(/[\s@]/u)[0] ?? name;
}

function Models({ models }: { models: Schemas["ModelsView"] }) {
  const admin = useIsAdmin();
  const names = models.providers.filter(({ configured, provider }) => configured && provider !== "offline").map(({ title }) => title);
  return (
    <section className={classes.models} data-offline={models.offline || undefined} aria-label="Language model">
      {models.offline ? (
        <>
          <StateDot meaning="aware" label="No language model is connected" />
          <p className={classes.how}>
            The built-in offline model answers. It really uses tools, but it only knows their results. {models.how}
          </p>
        </>
      ) : (
        <>
          <StateDot meaning="well" label={`Connected: ${names.join(", ")}`} />
          <p className={classes.how}>{models.how}</p>
        </>
      )}
      {admin && (
        <Link to="/settings/$section" params={{ section: "models" }}>
          {models.offline ? "How to connect one" : "Models and providers"}
        </Link>
      )}
    </section>
  );
}

function Try({ agent, offline }: { agent: Agent; offline: boolean }) {
  const begin = useBegin();
  const send = (prompt: string) => begin.mutate({ agentId: agent.id, prompt });
  return (
    <section aria-labelledby="try">
      <div className={classes.agent}>
        <Avatar name={agent.name} accent={agent.accent_colour} image={agent.avatar} size={32} kind="agent" />
        <div>
          <h2 id="try" className={classes.subtitle}>
            Meet {agent.name}
          </h2>
          <p className={classes.describes}>{agent.description}</p>
        </div>
      </div>
      <ul className={classes.list}>
        {suggestions(offline).map(({ title, prompt, why }) => (
          <li key={title}>
            <UnstyledButton className={classes.suggestion} disabled={begin.isPending} onClick={() => send(prompt)}>
              <span className={classes.words}>
                <span className={classes.prompt}>{prompt}</span>
                <span className={classes.why}>{why}</span>
              </span>
              <IconArrowRight size={18} stroke={1.5} aria-hidden />
            </UnstyledButton>
          </li>
        ))}
      </ul>
      <Own send={send} name={agent.name} busy={begin.isPending} />
    </section>
  );
}

function Own({ send, name, busy }: { send: (prompt: string) => void; name: string; busy: boolean }) {
  const [text, setText] = useState("");
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (text.trim()) send(text.trim());
  };
  return (
    <form className={classes.own} onSubmit={submit}>
      <TextInput
        className={classes.field}
        size="md"
        aria-label={`Ask ${name}`}
        placeholder="Or ask your own question"
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <Button type="submit" size="md" disabled={busy || !text.trim()} leftSection={<IconArrowUp size={18} stroke={1.5} />}>
        Ask
      </Button>
    </form>
  );
}

function NoAgent() {
  const admin = useIsAdmin();
  const action = admin ? (
    <Button component={Link} to="/agents">
      Choose an agent
    </Button>
  ) : (
    <Button component={Link} to="/channels" variant="default">
      Look at the channels
    </Button>
  );
  return <EmptyState title="No agent is at work yet" action={action} />;
}
