import type { Meaning } from "@/lib/states";

import classes from "./StateDot.module.css";

interface Props {
  meaning: Meaning;
  /** The state in a word: shown beside the dot, or with `bare` only told to screen readers and on hover. */
  label: string;
  bare?: boolean;
}

/** A mark in one of the meaning colours with its word; each meaning has its own shape too. */
export function StateDot({ meaning, label, bare = false }: Props) {
  return (
    <span className={classes.state} title={bare ? label : undefined}>
      <span className={classes.dot} data-meaning={meaning} aria-hidden="true" />
      <span className={bare ? classes.hidden : undefined}>{label}</span>
    </span>
  );
}
