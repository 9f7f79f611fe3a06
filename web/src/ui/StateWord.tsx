import type { Schemas } from "@/api/client";
import { ofInteraction } from "@/lib/states";

import { Duration } from "./Duration";
import { StateDot } from "./StateDot";

interface Props {
  state: Schemas["State"];
  /** Since when it works, to count up beside the word. */
  since?: string | null;
}

/** The state of a turn: its mark, its word and, while it works, for how long it has. */
export function StateWord({ state, since }: Props) {
  const shown = ofInteraction(state);
  if (state !== "running" || !since) return <StateDot {...shown} />;
  return (
    <span style={{ whiteSpace: "nowrap" }}>
      <StateDot {...shown} /> <Duration start={since} />
    </span>
  );
}
