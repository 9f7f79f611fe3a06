/** The columns of the record, and a line of it on a phone. */
import { Fragment } from "react";

import type { AuditLine } from "@/api/audit";
import { exact, moment } from "@/lib/time";
import type { Column } from "@/ui/table/columns";
import { useNow } from "@/ui/TimeAgo";

import { actorOf, notesOf, thingsOf, type Names } from "./about";
import classes from "./AuditPage.module.css";
import { eventWords } from "./events";
import { ThingLink } from "./ThingLink";

export function auditColumns(names: Names): readonly Column<AuditLine>[] {
  return [
    { id: "when", title: "When", width: 136, fixed: true, value: (line) => line.at, cell: (line) => <When at={line.at} /> },
    {
      id: "event", title: "Event", width: 180, grow: true, fixed: true,
      value: (line) => line.event,
      cell: (line) => <Event line={line} />,
    },
    {
      id: "who", title: "Who", width: 132,
      value: (line) => actorOf(line, names),
      cell: (line) => <Who line={line} names={names} inRow />,
    },
    {
      id: "about", title: "About", width: 180, grow: true,
      value: (line) => thingsOf(line, names).map(({ label }) => label).join(", "),
      cell: (line) => <About line={line} names={names} />,
    },
    { id: "id", title: "Id", width: 250, optional: true, value: (line) => line.id, cell: (line) => <code className={classes.code}>{line.id}</code> },
  ]; // prettier-ignore
}

/** The moment itself and not how long ago: lines are told apart by their seconds. */
function When({ at }: { at: string }) {
  return (
    <time dateTime={at} title={exact(at)} className={classes.when}>
      {moment(at, useNow())}
    </time>
  );
}

function Event({ line }: { line: AuditLine }) {
  return (
    <span className={classes.event}>
      <span className={classes.strong}>{eventWords(line.event)}</span>
      <code className={classes.code}>{line.event}</code>
    </span>
  );
}

export function Who({ line, names, inRow = false }: { line: AuditLine; names: Names; inRow?: boolean }) {
  const label = actorOf(line, names);
  const known = line.actor_type === "agent" && line.actor_id !== null && names.agent(line.actor_id) !== undefined;
  return known ? <ThingLink thing={{ kind: "agent", id: line.actor_id ?? "", label }} inRow={inRow} /> : label;
}

function About({ line, names }: { line: AuditLine; names: Names }) {
  const [things, notes] = [thingsOf(line, names), notesOf(line)];
  return (
    <>
      {things.map((thing, at) => (
        <Fragment key={`${thing.kind}${thing.label}`}>
          {at > 0 ? ", " : null}
          <ThingLink thing={thing} inRow />
        </Fragment>
      ))}
      {notes ? <span className={classes.quiet}>{things.length > 0 ? ` · ${notes}` : notes}</span> : null}
    </>
  );
}

/** A line in one cell: what and when, then who and about what. */
export function compactLine(names: Names) {
  return function Compact(line: AuditLine) {
    const about = [...thingsOf(line, names).map(({ label }) => label), notesOf(line)].filter(Boolean).join(", ");
    return (
      <div className={classes.compact}>
        <div className={classes.line}>
          <span className={classes.strong}>{eventWords(line.event)}</span>
          <span className={classes.quiet}>
            <When at={line.at} />
          </span>
        </div>
        <div className={classes.line}>
          <span className={classes.quiet}>{[actorOf(line, names), about].filter(Boolean).join(" · ")}</span>
        </div>
      </div>
    );
  };
}
