/** Pausing and removing an agent, each with what it means. */
import { Button, Group, Modal, Text } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { useDeleteAgent, useUpdateAgent, type Agent } from "@/api/agents";
import { notifyDone, notifyError } from "@/ui/notify";

import classes from "./AgentForm.module.css";
import { Section } from "./Section";

interface Props {
  agent: Agent;
  /** It is removed: nothing is left to be saved. */
  onGone: () => void;
  /** It was changed here, not by somebody else. */
  onChanged: (agent: Agent) => void;
}

export function DangerSection({ agent, onGone, onChanged }: Props) {
  return (
    <Section title="Pause or remove">
      <Pause agent={agent} onChanged={onChanged} />
      {agent.origin === "built_in" ? (
        <div className={classes.danger}>
          <div className={classes.dangerText}>
            <div>Built in</div>
            <div className={classes.dim}>It came with Retinue and cannot be removed. Switch it off instead.</div>
          </div>
        </div>
      ) : (
        <Remove agent={agent} onGone={onGone} />
      )}
    </Section>
  );
}

const ACTIONS = {
  paused: { say: "Pause", done: "is paused", words: "It takes no new work until it is resumed. What it does now, it finishes." },
  enabled: { say: "Resume", done: "works again", words: "It takes new work again." },
  deactivated: { say: "Switch off", done: "is switched off", words: "It stays in its channels and answers nobody." },
} as const;

function Pause({ agent, onChanged }: Pick<Props, "agent" | "onChanged">) {
  const update = useUpdateAgent(agent.id);
  const choices = agent.status === "enabled" ? (["paused", "deactivated"] as const) : (["enabled"] as const);
  function set(status: (typeof choices)[number]): void {
    update.mutate(
      { change: { status }, onChanged },
      {
        onSuccess: () => notifyDone(`${agent.name} ${ACTIONS[status].done}.`),
        onError: (error) => notifyError(error, `Couldn't change ${agent.name}`),
      },
    );
  }
  return choices.map((status) => (
    <div key={status} className={classes.danger}>
      <div className={classes.dangerText}>
        <div>
          {ACTIONS[status].say} {agent.name}
        </div>
        <div className={classes.dim}>{ACTIONS[status].words}</div>
      </div>
      <Button variant="default" loading={update.isPending} onClick={() => set(status)}>
        {ACTIONS[status].say}
      </Button>
    </div>
  ));
}

function Remove({ agent, onGone }: { agent: Agent; onGone: () => void }) {
  const [asking, setAsking] = useState(false);
  const navigate = useNavigate();
  const remove = useDeleteAgent();
  function onRemove(): void {
    remove.mutate(agent.id, {
      onSuccess: () => {
        onGone();
        notifyDone(`${agent.name} is removed.`);
        void navigate({ to: "/agents" });
      },
      onError: (error) => {
        setAsking(false);
        notifyError(error, `Couldn't remove ${agent.name}`);
      },
    });
  }
  return (
    <div className={classes.danger}>
      <div className={classes.dangerText}>
        <div>Remove {agent.name}</div>
        <div className={classes.dim}>It leaves every list and channel. What it said, did and cost stays on record.</div>
      </div>
      <Button variant="outline" color="red" onClick={() => setAsking(true)}>
        Remove
      </Button>
      <Modal
        opened={asking}
        onClose={() => setAsking(false)}
        title={`Remove ${agent.name}?`}
        size="sm"
        closeButtonProps={{ "aria-label": "Close" }}
      >
        <Text size="sm">
          It leaves every channel, and turns that wait in its queue are cancelled. Its messages and record stay; its handle @
          {agent.slug} is free again. This cannot be taken back.
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
    </div>
  );
}
