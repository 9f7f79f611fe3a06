import { Button } from "@mantine/core";
import { memo, useState } from "react";

import { plural } from "@/lib/format";
import type { Call } from "@/lib/stream";
import type { Stop } from "@/lib/trail";
import { Markdown } from "@/ui/markdown/Markdown";

import { ToolCard } from "./ToolCard";
import classes from "./ToolCard.module.css";

interface Props {
  stops: readonly Stop[];
  turnId: string;
  live: boolean;
}

const FOLDED = 5;

/** What the agent did on the way to its answer: a line for each call, opened in place. */
export const Trail = memo(function Trail({ stops, turnId, live }: Props) {
  return stops.map((stop) =>
    stop.kind === "words" ? (
      <div key={`words ${stop.step}`} className={classes.words}>
        <Markdown text={stop.text} />
      </div>
    ) : (
      <Calls key={`calls ${stop.step}`} calls={stop.calls} turnId={turnId} live={live} />
    ),
  );
});

/** Many calls fold into a few; those under way are always seen. */
function Calls({ calls, turnId, live }: { calls: readonly Call[]; turnId: string; live: boolean }) {
  const [all, setAll] = useState(false);
  const shown = all || live || calls.length <= FOLDED ? calls : calls.slice(0, FOLDED - 1);
  return (
    <ul className={classes.calls} aria-label="Tool calls">
      {shown.map((call) => (
        <li key={call.seq}>
          <ToolCard call={call} turnId={turnId} />
        </li>
      ))}
      {shown.length < calls.length && (
        <li>
          <Button size="compact-xs" variant="subtle" color="gray" onClick={() => setAll(true)}>
            {plural(calls.length - shown.length, "more call")}
          </Button>
        </li>
      )}
    </ul>
  );
}
