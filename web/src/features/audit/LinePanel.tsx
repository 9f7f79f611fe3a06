/** One line, open: everything it says. */
import { Link } from "@tanstack/react-router";

import type { AuditLine } from "@/api/audit";
import { exact } from "@/lib/time";
import { CopyButton } from "@/ui/CopyButton";
import { Fact } from "@/ui/Fact";
import { JsonView } from "@/ui/JsonView";

import { notesOf, thingsOf, type Names, type Thing } from "./about";
import { Who } from "./auditColumns";
import classes from "./AuditPage.module.css";
import { eventWords } from "./events";
import { ThingLink } from "./ThingLink";

const TITLES: Record<Thing["kind"], string> = {
  agent: "Agent",
  person: "Person",
  team: "Team",
  channel: "Channel",
  turn: "Turn",
  code: "Named",
};

export function LinePanel({ line, names }: { line: AuditLine; names: Names }) {
  const notes = notesOf(line);
  return (
    <div className={classes.panel}>
      <dl className={classes.facts}>
        <Fact name="Event"><code className={classes.code}>{line.event}</code></Fact>
        <Fact name="When"><time dateTime={line.at}>{exact(line.at)}</time></Fact>
        <Fact name="Who"><Who line={line} names={names} /></Fact>
        {thingsOf(line, names).map((thing) => (
          <Fact key={`${thing.kind}${thing.label}`} name={TITLES[thing.kind]}><ThingLink thing={thing} /></Fact>
        ))}
        {notes ? <Fact name="Said">{notes}</Fact> : null}
        <Fact name="Id">
          <span className={classes.id}><code className={classes.code}>{line.id}</code><CopyButton text={line.id} label="Copy the id" /></span>
        </Fact>
      </dl>
      <More line={line} names={names} />
      <section className={classes.part}>
        <h3>All of the line</h3>
        <JsonView value={line} label="All of the line" height={480} />
      </section>
    </div>
  ); // prettier-ignore
}

/** Ways on from here. */
function More({ line, names }: { line: AuditLine; names: Names }) {
  const { interaction_id: turn, actor_id: id, actor_type: type } = line;
  const who = type === "user" ? names.person(id ?? "") : type === "agent" ? names.agent(id ?? "") : undefined;
  if (!turn && !(who && id)) return null;
  return (
    <p className={classes.more}>
      {turn ? <Link to="/audit" search={{ interaction_id: turn, line: line.id }} className={classes.filter}>Only this turn</Link> : null}
      {who && id ? <Link to="/audit" search={{ actor: id, line: line.id }} className={classes.filter}>Only {who}</Link> : null}
      <Link to="/audit" search={{ event: line.event, line: line.id }} className={classes.filter}>Only “{eventWords(line.event)}”</Link>
    </p>
  ); // prettier-ignore
}
