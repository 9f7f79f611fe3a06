import type { ReactNode } from "react";

import classes from "./PageHeader.module.css";

interface Props {
  title: ReactNode;
  /** A quiet line beside or under the title. */
  note?: ReactNode;
  /** Before the title: an avatar, a way back. */
  before?: ReactNode;
  children?: ReactNode;
}

/** The bar on top of a page: its one h1, and its actions as children. */
export function PageHeader({ title, note, before, children }: Props) {
  return (
    <header className={classes.header}>
      {before}
      <div className={classes.words}>
        <h1 className={classes.title}>{title}</h1>
        {note && <div className={classes.note}>{note}</div>}
      </div>
      {children && <div className={classes.actions}>{children}</div>}
    </header>
  );
}
