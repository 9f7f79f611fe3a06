import { IconSquare, IconSquareCheck } from "@tabler/icons-react";
import type { ReactNode } from "react";
import type { Components } from "react-markdown";

import { ownImage, safeLink } from "@/lib/markdown";

import classes from "./Markdown.module.css";

/** How each element is drawn. Nothing of what was written reaches an attribute but what is named here. */
export const components: Components = {
  a: ({ href, children }) => <SafeLink href={href}>{children}</SafeLink>,
  img: ({ src, alt }) => <OwnImage src={typeof src === "string" ? src : ""} alt={alt ?? ""} />,
  table: ({ children }) => (
    <div className={classes.table} role="region" aria-label="Table" tabIndex={0}>
      <table>{children}</table>
    </div>
  ),
  input: ({ checked }) => <Task done={checked === true} />,
  // headings of a message are no headings of the page
  h1: ({ children }) => <Heading level={1}>{children}</Heading>,
  h2: ({ children }) => <Heading level={2}>{children}</Heading>,
  h3: ({ children }) => <Heading level={3}>{children}</Heading>,
  h4: ({ children }) => <Heading level={4}>{children}</Heading>,
  h5: ({ children }) => <Heading level={4}>{children}</Heading>,
  h6: ({ children }) => <Heading level={4}>{children}</Heading>,
};

function SafeLink({ href, children }: { href: string | undefined; children: ReactNode }) {
  const safe = safeLink(href);
  if (!safe) return <span>{children}</span>;
  return (
    <a href={safe} target="_blank" rel="noopener noreferrer" className={classes.link}>
      {children}
    </a>
  );
}

function OwnImage({ src, alt }: { src: string; alt: string }) {
  const own = ownImage(src);
  if (own) return <img src={own} alt={alt} className={classes.image} loading="lazy" decoding="async" />;
  return <SafeLink href={src}>{alt || "Image"}</SafeLink>;
}

function Task({ done }: { done: boolean }) {
  const Icon = done ? IconSquareCheck : IconSquare;
  return <Icon className={classes.task} size={16} stroke={1.5} role="img" aria-label={done ? "Done" : "To do"} />;
}

function Heading({ level, children }: { level: 1 | 2 | 3 | 4; children: ReactNode }) {
  return (
    <p className={classes.heading} data-level={level}>
      {children}
    </p>
  );
}
