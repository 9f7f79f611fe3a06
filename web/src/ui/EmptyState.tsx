import type { ReactNode } from "react";

import classes from "./State.module.css";

interface Props {
  /** Affirms: "All caught up." Never an error. */
  title: string;
  children?: ReactNode;
  /** One thing to do next. */
  action?: ReactNode;
}

/** There is nothing here, and that is fine. */
export function EmptyState({ title, children, action }: Props) {
  return (
    <div className={classes.state}>
      <p className={classes.title}>{title}</p>
      {children && <div className={classes.words}>{children}</div>}
      {action && <div className={classes.action}>{action}</div>}
    </div>
  );
}
