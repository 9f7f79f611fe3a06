import type { Schemas } from "@/api/client";

import classes from "./StateDot.module.css";

/** What the four meaning colours and grey stand for. */
export type Meaning = "attention" | "aware" | "well" | "working" | "dormant";

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

type InteractionState = Schemas["State"];

const INTERACTIONS: Record<InteractionState, readonly [Meaning, string]> = {
  queued: ["dormant", "Queued"],
  running: ["working", "Working"],
  waiting: ["aware", "Waiting"],
  succeeded: ["well", "Done"],
  failed: ["attention", "Failed"],
  cancelled: ["dormant", "Stopped"],
};

/** How the state of an interaction is shown and said, everywhere the same. */
export function ofInteraction(state: InteractionState): { meaning: Meaning; label: string } {
  const [meaning, label] = INTERACTIONS[state];
  return { meaning, label };
}
