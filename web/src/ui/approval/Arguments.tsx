import { Button } from "@mantine/core";
import { useState } from "react";

import { folded, visible } from "@/lib/approvals";
import { ordered } from "@/lib/argumentForm";
import { label } from "@/lib/format";
import { JsonView } from "@/ui/JsonView";

import classes from "./Approval.module.css";

interface Props {
  value: Record<string, unknown>;
  /** Of the tool, where it is known: what it needs comes first. */
  schema: Record<string, unknown> | undefined;
  changedBy: string | null;
}

/** Exactly what would be used: readable, with nothing left out; long texts are folded, what cannot be seen is spelt out. */
export function Arguments({ value, schema, changedBy }: Props) {
  const [raw, setRaw] = useState(false);
  const given = ordered(Object.keys(value), schema ?? {}).map((name) => [name, value[name]] as const);
  return (
    <div role="group" className={classes.arguments} aria-label="What it would use">
      <div className={classes.argumentsHead}>
        <span>{changedBy ? `With, as changed by ${changedBy}` : "With"}</span>
        {given.length > 0 && (
          <Button size="compact-xs" variant="subtle" color="gray" aria-pressed={raw} onClick={() => setRaw(!raw)}>
            As JSON
          </Button>
        )}
      </div>
      {raw ? (
        <div className={classes.json}>
          <JsonView value={escaped(value)} label="Arguments" height={320} />
        </div>
      ) : given.length === 0 ? (
        <p className={classes.none}>Nothing: the tool takes no arguments.</p>
      ) : (
        <dl className={classes.pairs}>
          {given.map(([name, one]) => (
            <div key={name}>
              <dt title={name}>{label(visible(name))}</dt>
              <dd>
                <Value value={one} name={name} />
              </dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}

/** As it is written down, with what cannot be seen in its texts spelt out, too. */
function escaped(value: unknown): unknown {
  if (typeof value === "string") return visible(value);
  if (Array.isArray(value)) return value.map(escaped);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [visible(name), escaped(one)]));
}

function Value({ value, name }: { value: unknown; name: string }) {
  switch (typeof value) {
    case "string":
      return value === "" ? <span className={classes.dim}>empty</span> : <Text text={value} />;
    case "number":
      return String(value);
    case "boolean":
      return value ? "Yes" : "No";
    default:
      if (value === null) return <span className={classes.dim}>nothing</span>;
      if (Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === "string")) {
        return <Text text={value.join("\n")} />;
      }
      return <JsonView value={escaped(value)} label={label(name)} height={200} />;
  }
}

function Text({ text }: { text: string }) {
  const [open, setOpen] = useState(false);
  const fold = folded(text);
  return (
    <>
      <span className={classes.text}>{visible(fold && !open ? fold.start : text)}</span>
      {fold && (
        <div>
          <Button size="compact-xs" variant="subtle" color="gray" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? "Show less" : `Show all ${fold.rest}`}
          </Button>
        </div>
      )}
    </>
  );
}
