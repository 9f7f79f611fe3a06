import { Link } from "@tanstack/react-router";

import type { Thing } from "./about";
import classes from "./AuditPage.module.css";

interface Props {
  thing: Thing;
  /** In a row: the table's own keys move between rows, not between links. */
  inRow?: boolean;
}

/** A thing by its name, leading to its page where it has one. */
export function ThingLink({ thing, inRow = false }: Props) {
  const common = { className: classes.link, tabIndex: inRow ? -1 : undefined, children: thing.label };
  switch (thing.kind) {
    case "agent":
      return <Link to="/agents/$agentId" params={{ agentId: thing.id }} {...common} />;
    case "channel":
      return (
        <Link
          to="/channels/$channelId"
          params={{ channelId: thing.id }}
          search={thing.message ? { message: thing.message } : {}}
          {...common}
        />
      );
    case "turn":
      return (
        <Link
          to="/activity/$interactionId"
          params={{ interactionId: thing.id }}
          search={thing.step === undefined ? {} : { step: thing.step }}
          {...common}
        />
      );
    case "team":
      return <Link to="/settings/$section" params={{ section: "teams" }} {...common} />;
    case "code":
      return <code className={classes.code}>{thing.label}</code>;
    case "person":
      return thing.label;
  }
}
