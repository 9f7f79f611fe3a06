import type { ReactNode } from "react";

import classes from "./AgentForm.module.css";

interface Props {
  title: string;
  help?: ReactNode;
  children: ReactNode;
}

/** A part of the form with its heading. */
export function Section({ title, help, children }: Props) {
  return (
    <section className={classes.section} aria-label={title}>
      <div>
        <h2 className={classes.heading}>{title}</h2>
        {help && <p className={classes.help}>{help}</p>}
      </div>
      {children}
    </section>
  );
}
