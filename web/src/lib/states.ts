/** States in words and meanings, everywhere the same: of turns, and of steps, the calls of tools among them. Pure. */
import type { Schemas } from "@/api/client";

import { label } from "./format";

/** What the four meaning colours and grey stand for. */
export type Meaning = "attention" | "aware" | "well" | "working" | "dormant";

export interface Shown {
  meaning: Meaning;
  label: string;
}

const TURNS: Record<Schemas["State"], readonly [Meaning, string]> = {
  queued: ["dormant", "Queued"],
  running: ["working", "Working"],
  waiting: ["aware", "Waiting"],
  succeeded: ["well", "Done"],
  failed: ["attention", "Failed"],
  cancelled: ["dormant", "Stopped"],
};

export function ofInteraction(state: Schemas["State"]): Shown {
  const [meaning, words] = TURNS[state];
  return { meaning, label: words };
}

const STEPS: Record<string, readonly [Meaning, string] | undefined> = {
  created: ["dormant", "Not begun"],
  running: ["working", "Working"],
  waiting: ["aware", "Waiting"],
  unknown: ["aware", "Outcome unknown"],
  success: ["well", "Done"],
  failed: ["attention", "Failed"],
};

/** Of a step as the journal or a stream tells it; a state that is not known here is at least spelt out. */
export function ofStep({ state, error }: { state: string; error?: string | null }): Shown {
  if (state === "failed" && error === "cancelled") return { meaning: "dormant", label: "Stopped" };
  const [meaning, words] = STEPS[state] ?? ["dormant", label(state)];
  return { meaning, label: words };
}
