/** Small changes to the parsed tree, before it is drawn. */
import type { Element, Root, RootContent } from "hast";

/** Takes out ids: many messages stand on one page, and none of them may name things there. */
export function withoutIds() {
  return (tree: Root): void => each(tree.children);
}

function each(nodes: readonly RootContent[]): void {
  for (const node of nodes) {
    if (node.type !== "element") continue;
    delete node.properties["id"];
    delete node.properties["ariaDescribedBy"];
    each(node.children);
  }
}

/** All the text below an element. */
export function textOf(node: Element): string {
  return node.children.map((child) => (child.type === "text" ? child.value : child.type === "element" ? textOf(child) : "")).join("");
}
