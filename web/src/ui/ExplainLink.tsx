import { Link } from "@tanstack/react-router";

import type { Schemas } from "@/api/client";

import classes from "./Why.module.css";

interface Props {
  turn: Pick<Schemas["InteractionView"], "agent_id" | "user_id" | "channel_id">;
  step: Pick<Schemas["StepView"], "kind" | "tool" | "input">;
}

const LONGEST = 2000;

/** To the page that says what would become of such a call now. */
export function ExplainLink({ turn, step }: Props) {
  if (step.kind !== "act" || !step.tool) return null;
  const given = step.input["arguments"];
  const args = typeof given === "object" && given !== null ? JSON.stringify(given) : "{}";
  const search = {
    agent: turn.agent_id,
    tool: step.tool,
    ...(turn.user_id ? { user: turn.user_id } : { user: "nobody" }),
    ...(turn.channel_id ? { channel: turn.channel_id } : {}),
    ...(args !== "{}" && args.length <= LONGEST ? { args } : {}),
  };
  return (
    <p className={classes.rest}>
      <Link to="/policies/explain" search={search}>What would happen now?</Link>
    </p>
  ); // prettier-ignore
}
