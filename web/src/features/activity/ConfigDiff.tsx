/** What the agent's configuration was for this turn, and what of it has changed since. */
import { Button, UnstyledButton } from "@mantine/core";
import { useState } from "react";

import { useConfig, type Difference, type Interaction } from "@/api/interactions";
import { label } from "@/lib/format";
import { ErrorState } from "@/ui/ErrorState";
import { JsonView } from "@/ui/JsonView";
import { ListSkeleton } from "@/ui/ListSkeleton";

import classes from "./ConfigDiff.module.css";
import page from "./InteractionPage.module.css";

export function ConfigDiff({ interaction }: { interaction: Interaction }) {
  const [wanted, setWanted] = useState(false);
  const [whole, setWhole] = useState(false);
  const { data, error, isPending, refetch } = useConfig(interaction.id, wanted);
  if (!interaction.config_hash) return null;
  return (
    <section className={page.section} aria-labelledby="config">
      <div className={page.head}>
        <h2 id="config">Configuration of this turn</h2>
        {wanted ? null : (
          <Button variant="default" size="xs" onClick={() => setWanted(true)}>
            Compare with now
          </Button>
        )}
      </div>
      {wanted && error ? <ErrorState inline error={error} retry={() => void refetch()} what="the configuration" /> : null}
      {wanted && isPending ? <ListSkeleton rows={3} label="Loading the configuration" /> : null}
      {data ? (
        <>
          <Changes changes={data.changes} gone={data.current === null} />
          <UnstyledButton className={classes.more} aria-expanded={whole} onClick={() => setWhole(!whole)}>
            {whole ? "Hide the whole configuration" : "Show the whole configuration"}
          </UnstyledButton>
          {whole ? <JsonView value={data.snapshot} label="Configuration" height={480} /> : null}
        </>
      ) : null}
    </section>
  );
}

function Changes({ changes, gone }: { changes: readonly Difference[]; gone: boolean }) {
  if (gone) return <p className={classes.same}>The agent is no longer there. This is what it was.</p>;
  if (changes.length === 0) return <p className={classes.same}>Nothing has changed since: the agent runs on the same configuration today.</p>;
  return (
    <dl className={classes.changes}>
      {changes.map((change) => (
        <div key={change.path} className={classes.change}>
          <dt>{nameOf(change.path)}</dt>
          <dd>
            <Side title="Then" value={inWords(change.before)} other={inWords(change.after)} />
            <Side title="Now" value={inWords(change.after)} other={inWords(change.before)} now />
          </dd>
        </div>
      ))}
    </dl>
  );
}

interface SideProps {
  title: string;
  value: string;
  /** What stands on the other side: lines that it does not have are marked. */
  other: string;
  now?: boolean;
}

function Side({ title, value, other, now = false }: SideProps) {
  const known = new Set(other.split("\n"));
  const long = known.size > 1 || value.includes("\n");
  return (
    <div className={classes.side} data-now={now || undefined}>
      <span className={classes.name}>{title}</span>
      <span className={classes.value}>
        {long ? value.split("\n").map((line, at) => <Line key={at} line={line} changed={!known.has(line)} />) : value}
      </span>
    </div>
  );
}

function Line({ line, changed }: { line: string; changed: boolean }) {
  return (
    <>
      {changed ? <mark className={classes.changed}>{line}</mark> : line}
      {"\n"}
    </>
  );
}

/** `limits.max_steps` as "Limits: max steps". */
function nameOf(path: string): string {
  return label(path.replaceAll(".", ": "));
}

function inWords(value: unknown): string {
  if (value === null || value === undefined) return "Not set";
  if (value === true) return "Yes";
  if (value === false) return "No";
  if (typeof value === "string") return value === "" ? "Empty" : value;
  return typeof value === "number" ? String(value) : JSON.stringify(value, null, 2);
}
