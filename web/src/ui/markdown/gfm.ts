/** Tables, task lists, footnotes, strikethrough and bare links: what `remark-gfm` reads, without the part that writes. */
import { gfmFromMarkdown } from "mdast-util-gfm";
import { gfm } from "micromark-extension-gfm";
import type { Options } from "react-markdown";
import type {} from "remark-parse";

type Plugin = Extract<NonNullable<Options["remarkPlugins"]>[number], (...given: never[]) => unknown>;

export const readGfm: Plugin = function () {
  const data = this.data();
  (data.micromarkExtensions ??= []).push(gfm());
  (data.fromMarkdownExtensions ??= []).push(gfmFromMarkdown());
};
