/** Handles of people and agents, marked where they stand in a text. */
import type { PhrasingContent, Root, RootContent } from "mdast";
import { createContext } from "react";

/** Who may be mentioned where this text stands; others are not marked. */
export const Mentions = createContext<ReadonlySet<string>>(new Set());

const MENTION = /(?<![\w@./])@([\p{L}\p{N}](?:[\p{L}\p{N}_-]{0,62}[\p{L}\p{N}])?)/gu;

type Parent = Extract<RootContent, { children: unknown[] }> | Root;

/** A remark plugin: `@handle` of somebody in the set becomes a marked span. */
export function markMentions(handles: ReadonlySet<string>) {
  return (tree: Root): void => {
    if (handles.size) visit(tree, handles);
  };
}

function visit(parent: Parent, handles: ReadonlySet<string>): void {
  const changed: RootContent[] = [];
  for (const child of parent.children as RootContent[]) {
    if (child.type === "text") changed.push(...cut(child.value, handles));
    else {
      if ("children" in child && child.type !== "link") visit(child, handles);
      changed.push(child);
    }
  }
  parent.children = changed;
}

function cut(text: string, handles: ReadonlySet<string>): PhrasingContent[] {
  const parts: PhrasingContent[] = [];
  let from = 0;
  for (const found of text.matchAll(MENTION)) {
    if (!handles.has((found[1] ?? "").toLowerCase())) continue;
    if (found.index > from) parts.push({ type: "text", value: text.slice(from, found.index) });
    const data = { hName: "span", hProperties: { dataMention: "" } };
    parts.push({ type: "emphasis", data, children: [{ type: "text", value: found[0] }] });
    from = found.index + found[0].length;
  }
  if (from < text.length) parts.push({ type: "text", value: text.slice(from) });
  return parts;
}
