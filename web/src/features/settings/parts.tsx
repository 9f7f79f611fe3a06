/** What the sections of the settings are made of. */
import type { ReactNode } from "react";

import { ErrorState } from "@/ui/ErrorState";
import { CopyButton } from "@/ui/CopyButton";
import { ListSkeleton } from "@/ui/ListSkeleton";

import classes from "./SettingsPage.module.css";

interface SectionProps {
  title: string;
  help?: ReactNode;
  action?: ReactNode;
  children?: ReactNode;
}

export function Section({ title, help, action, children }: SectionProps) {
  return (
    <section className={classes.section} aria-label={title}>
      <div className={classes.headRow}>
        <div className={classes.headText}>
          <h2 className={classes.heading}>{title}</h2>
          {help && <p className={classes.help}>{help}</p>}
        </div>
        {action}
      </div>
      {children}
    </section>
  );
}

/** Said once on a page whose fields one may only read. */
export function ReadOnly({ children = "Only admins change this. You can see how it is set." }: { children?: ReactNode }) {
  return <p className={classes.notice}>{children}</p>;
}

interface Query<T> {
  data: T | undefined;
  isError: boolean;
  error: unknown;
  refetch: () => unknown;
}

interface LoadedProps<T> {
  query: Query<T>;
  what: string;
  rows?: number;
  children: (data: T) => ReactNode;
}

/** What was asked for, its skeleton, or why it is not there. */
export function Loaded<T>({ query, what, rows = 4, children }: LoadedProps<T>) {
  if (query.data !== undefined) return children(query.data);
  if (query.isError) return <ErrorState error={query.error} what={what} retry={() => void query.refetch()} />;
  return <ListSkeleton rows={rows} height={52} label={`Loading ${what}`} />;
}

/** Something shown this once, to be copied. */
export function Secret({ text, label }: { text: string; label: string }) {
  return (
    <div className={classes.secret}>
      <code aria-label={label}>{text}</code>
      <CopyButton text={text} label={`Copy ${label}`} />
    </div>
  );
}
