import { Fragment, type ReactNode } from "react";

import { CopyButton } from "./CopyButton";
import classes from "./JsonView.module.css";

interface Props {
  value: unknown;
  /** What this is, for the copy button and screen readers. */
  label?: string;
  /** Height in px after which it scrolls. */
  height?: number;
}

const TOKEN = /("(?:\\.|[^"\\])*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const LIMIT = 200_000;

/** A value as indented JSON in four quiet tones, with a button that copies it. */
export function JsonView({ value, label = "JSON", height = 320 }: Props) {
  const text = typeof value === "string" ? value : ((JSON.stringify(value, null, 2) as string | undefined) ?? "undefined");
  return (
    <div className={classes.box}>
      <div className={classes.copy}>
        <CopyButton text={text} label={`Copy ${label}`} />
      </div>
      {/* a scrolled region must be reachable by keyboard */}
      <pre className={classes.text} style={{ maxHeight: height }} tabIndex={0} role="region" aria-label={label}>
        {typeof value === "string" || text.length > LIMIT ? text.slice(0, LIMIT) : painted(text)}
        {text.length > LIMIT && "\n… cut here; copy for the whole"}
      </pre>
    </div>
  );
}

function painted(text: string): ReactNode[] {
  const parts: ReactNode[] = [];
  let last = 0;
  for (const match of text.matchAll(TOKEN)) {
    const [whole, string, colon] = match;
    parts.push(text.slice(last, match.index));
    const kind = string ? (colon ? classes.key : classes.string) : classes.atom;
    parts.push(
      <span key={match.index} className={kind}>
        {string ?? whole}
      </span>,
    );
    if (colon) parts.push(colon);
    last = match.index + whole.length;
  }
  parts.push(text.slice(last));
  return parts.map((part, at) => <Fragment key={at}>{part}</Fragment>);
}
