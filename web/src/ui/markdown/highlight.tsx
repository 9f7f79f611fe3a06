/** Colours for code: in a file of its own, fetched when the first code with a language is met. */
import type { RootContent } from "hast";
import { common, createLowlight } from "lowlight";
import { Fragment, type ReactNode } from "react";

import classes from "./CodeBlock.module.css";

const lowlight = createLowlight(common);

/** A few quiet tones for the many classes there are. */
const TONES: Record<string, string | undefined> = {
  comment: classes["comment"], quote: classes["comment"], doctag: classes["comment"],
  keyword: classes["keyword"], "selector-tag": classes["keyword"], name: classes["keyword"], section: classes["keyword"],
  string: classes["string"], regexp: classes["string"], addition: classes["string"], char: classes["string"],
  number: classes["number"], literal: classes["number"], symbol: classes["number"], bullet: classes["number"],
  title: classes["title"], type: classes["title"], built_in: classes["title"], attr: classes["title"],
  attribute: classes["title"], deletion: classes["deletion"], meta: classes["comment"],
}; // prettier-ignore

/** The text in coloured pieces; null when the language is not known. */
export function highlight(text: string, spoken: string): ReactNode {
  if (!lowlight.registered(spoken)) return null;
  return draw(lowlight.highlight(spoken, text).children);
}

function draw(nodes: readonly RootContent[]): ReactNode[] {
  return nodes.map((node, at) => {
    if (node.type === "text") return <Fragment key={at}>{node.value}</Fragment>;
    if (node.type !== "element") return null;
    return (
      <span key={at} className={tone(node.properties["className"])}>
        {draw(node.children)}
      </span>
    );
  });
}

function tone(names: unknown): string | undefined {
  const first: unknown = Array.isArray(names) ? names[0] : undefined;
  return typeof first === "string" ? TONES[first.replace(/^hljs-/, "")] : undefined;
}
