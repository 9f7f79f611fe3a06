/** The facts of a turn under its title: how it stands, where it belongs, what it used, and why it ended if not well. */
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import type { Interaction } from "@/api/interactions";
import { whyAgain, whyEnded } from "@/lib/reasons";
import { ofInteraction } from "@/lib/states";
import { CostCell } from "@/ui/CostCell";
import { Duration } from "@/ui/Duration";
import { StateDot } from "@/ui/StateDot";
import { TimeAgo } from "@/ui/TimeAgo";

import classes from "./InteractionPage.module.css";
import { stepTries } from "./steps";

export function InteractionFacts({ interaction }: { interaction: Interaction }) {
  const tries = stepTries(interaction);
  const read = interaction.input_tokens.toLocaleString();
  const written = interaction.output_tokens.toLocaleString();
  return (
    <>
      <div className={classes.about}>
        <dl className={classes.facts}>
          <Fact name="State"><StateDot {...ofInteraction(interaction.state)} /></Fact>
          <Fact name="Agent">
            <Link to="/agents/$agentId" params={{ agentId: interaction.agent_id }} className={classes.link}>
              {interaction.agent_name ?? "Agent"}
            </Link>
          </Fact>
          <Where interaction={interaction} />
          {interaction.user_name ? <Fact name="Asked by">{interaction.user_name}</Fact> : null}
          {interaction.parent_id ? (
            <Fact name="Part of">
              <Link to="/activity/$interactionId" params={{ interactionId: interaction.parent_id }} className={classes.link}>
                another turn
              </Link>
            </Fact>
          ) : null}
          <Fact name="Started"><TimeAgo when={interaction.created_at} /></Fact>
          <Fact name={interaction.ended_at ? "Took" : "For"}>
            <Duration start={interaction.created_at} end={interaction.ended_at} />
          </Fact>
          <Fact name="Cost"><CostCell cost={interaction.cost} unpriced={interaction.unpriced} /></Fact>
          <Fact name="Tokens">{read} read, {written} written</Fact>
          {interaction.model ? <Fact name="Model">{interaction.model}</Fact> : null}
          {tries ? <Fact name="Tries">{tries}</Fact> : null}
        </dl>
      </div>
      <Why interaction={interaction} />
    </>
  ); // prettier-ignore
}

function Where({ interaction }: { interaction: Interaction }) {
  const { channel_id, message_id, channel_name } = interaction;
  if (!channel_id) return null;
  return (
    <Fact name="In">
      <Link
        to="/channels/$channelId"
        params={{ channelId: channel_id }}
        search={message_id ? { message: message_id } : {}}
        className={classes.link}
      >
        {channel_name ?? "its channel"}
      </Link>
    </Fact>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className={classes.fact}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Why({ interaction }: { interaction: Interaction }) {
  const again = whyAgain(interaction);
  const why = whyEnded(interaction);
  if (!again && !why) return null;
  const meaning = interaction.state === "failed" ? "failed" : interaction.state === "cancelled" ? "stopped" : "aware";
  return (
    <p className={classes.why} data-meaning={meaning} role={meaning === "failed" ? "alert" : undefined}>
      {again ? `It will be tried again by itself. The last try: ${again}` : why}
      {interaction.dead_letter ? " It was set aside after too many failures; nothing is lost." : ""}
    </p>
  );
}
