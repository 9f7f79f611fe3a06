import { memo, useContext, useEffect, useMemo, useState } from "react";
import Parsed, { type Components, type Options } from "react-markdown";
import remarkBreaks from "remark-breaks";

import { blocks, hasMath, ownImage, safeLink, withMath } from "@/lib/markdown";

import { CodeBlock } from "./CodeBlock";
import { components } from "./elements";
import { readGfm } from "./gfm";
import classes from "./Markdown.module.css";
import { markMentions, Mentions } from "./mentions";
import { withoutIds } from "./tree";

type Plugins = Pick<Options, "remarkPlugins" | "rehypePlugins">;

interface Props {
  text: string;
  /** More of it is coming: its last block is drawn plainly until the next has begun. */
  streaming?: boolean;
}

/** What somebody wrote, as markdown. No raw HTML; links only where they are safe; images only of our own files. */
export const Markdown = memo(function Markdown({ text, streaming = false }: Props) {
  const parts = useMemo(() => blocks(withMath(text)), [text]);
  return (
    <div className={classes.body} dir="auto">
      {parts.map((part, at) => (
        <Block key={at} text={part} settled={!streaming || at < parts.length - 1} />
      ))}
    </div>
  );
});

const PLAIN: Required<Plugins> = { remarkPlugins: [readGfm, remarkBreaks], rehypePlugins: [withoutIds] };
const SETTLED: Components = { ...components, pre: ({ node }) => <CodeBlock node={node} settled /> };
const GROWING: Components = { ...components, pre: ({ node }) => <CodeBlock node={node} settled={false} /> };

function address(url: string, key: string): string {
  return (key === "src" ? (ownImage(url) ?? safeLink(url)) : safeLink(url)) ?? "";
}

const Block = memo(function Block({ text, settled }: { text: string; settled: boolean }) {
  const math = useMath(hasMath(text));
  const handles = useContext(Mentions);
  const plugins = useMemo((): Required<Plugins> => {
    const { remarkPlugins, rehypePlugins } = math ?? PLAIN;
    return { remarkPlugins: [...(remarkPlugins ?? []), [markMentions, handles]], rehypePlugins: rehypePlugins ?? [] };
  }, [math, handles]);
  return (
    <Parsed {...plugins} components={settled ? SETTLED : GROWING} urlTransform={address}>
      {text}
    </Parsed>
  );
});

let loaded: Required<Plugins> | undefined;

/** The typesetting of formulas, fetched when the first one is met; the formula is shown as written until then. */
function useMath(needed: boolean): Required<Plugins> | undefined {
  const [math, setMath] = useState(loaded);
  useEffect(() => {
    if (!needed || math) return;
    let gone = false;
    void import("./math").then(({ remarkMath, rehypeKatex }) => {
      const remarkPlugins: Options["remarkPlugins"] = [readGfm, remarkMath, remarkBreaks];
      loaded ??= { remarkPlugins, rehypePlugins: [withoutIds, rehypeKatex] };
      if (!gone) setMath(loaded);
    });
    return () => {
      gone = true;
    };
  }, [needed, math]);
  return needed ? math : undefined;
}
