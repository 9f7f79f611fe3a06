import { Button, Group } from "@mantine/core";

import { useUpdateAgent, type Agent } from "@/api/agents";
import { label } from "@/lib/format";
import { notifyDone, notifyError } from "@/ui/notify";

import classes from "./Access.module.css";
import { Section } from "./Section";
import { nextStage, STAGES } from "./words";

/** How far the agent is rolled out, with the next step. None can be skipped; back goes at once. */
export function Stage({ agent }: { agent: Agent }) {
  const update = useUpdateAgent(agent.id);
  const here = STAGES.findIndex(({ state }) => state === agent.deployment_state);
  const next = nextStage(agent.deployment_state);
  const go = (state: Agent["deployment_state"]) =>
    update.mutate(
      { change: { deployment_state: state } },
      {
        onSuccess: () => notifyDone(`${agent.name} is ${label(state).toLowerCase()} now.`),
        onError: (error) => notifyError(error, `Couldn't change ${agent.name}`),
      },
    );
  return (
    <Section title="Stage" help="People other than admins see and ask an active agent only.">
      <ol className={classes.stages} aria-label="Stages">
        {STAGES.map(({ state, help }, at) => (
          <li key={state} data-done={at < here || undefined} aria-current={at === here ? "step" : undefined}>
            <span className={classes.stage}>{label(state)}</span>
            <span className={classes.dim}>{help}</span>
          </li>
        ))}
      </ol>
      <Group gap="sm">
        {next && (
          <Button loading={update.isPending} onClick={() => go(next)}>
            {next === "active" ? "Activate" : `Promote to ${label(next).toLowerCase()}`}
          </Button>
        )}
        {here > 0 && (
          <Button variant="default" disabled={update.isPending} onClick={() => go("in_development")}>
            Back to development
          </Button>
        )}
      </Group>
    </Section>
  );
}
