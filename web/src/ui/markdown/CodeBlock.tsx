import type { Element } from "hast";
import { type ReactNode, useEffect, useState } from "react";

import { language } from "@/lib/markdown";

import { CopyButton } from "../CopyButton";
import classes from "./CodeBlock.module.css";
import { textOf } from "./tree";

interface Props {
  node: Element | undefined;
  /** No more of it is coming: it may be coloured. */
  settled: boolean;
}

const LONGEST = 30_000;

/** Code on its own lines, coloured when its language is known, with a button that copies it. */
export function CodeBlock({ node, settled }: Props) {
  const code = node?.children.find((child) => child.type === "element");
  const text = (code ? textOf(code) : "").replace(/\n$/, "");
  const name = code?.properties["className"];
  const spoken = language(Array.isArray(name) ? name.join(" ") : undefined);
  const coloured = useColours(text, spoken, settled);
  const label = spoken ? `Code in ${spoken}` : "Code";
  return (
    <div className={classes.box}>
      <div className={classes.head}>
        <span className={classes.language}>{spoken ?? ""}</span>
        <CopyButton text={text} label="Copy code" />
      </div>
      {/* what scrolls must be reachable by keyboard */}
      <pre className={classes.text} tabIndex={0} role="region" aria-label={label}>
        <code>{coloured ?? text}</code>
      </pre>
    </div>
  );
}

function useColours(text: string, spoken: string | null, settled: boolean): ReactNode {
  const [done, setDone] = useState<{ text: string; nodes: ReactNode } | null>(null);
  useEffect(() => {
    if (!settled || !spoken || text.length > LONGEST) return;
    let gone = false;
    void import("./highlight").then(({ highlight }) => {
      const nodes = highlight(text, spoken);
      if (!gone && nodes) setDone({ text, nodes });
    });
    return () => {
      gone = true;
    };
  }, [text, spoken, settled]);
  return done?.text === text ? done.nodes : null;
}
