/** Why a call was allowed, asked about or refused: fetched when somebody wants to know. */
import { useState } from "react";

import { useTurnDetail } from "@/api/turns";
import { ErrorState } from "@/ui/ErrorState";
import { ExplainLink } from "@/ui/ExplainLink";
import { ListSkeleton } from "@/ui/ListSkeleton";
import { Judged, WhyButton } from "@/ui/Why";

import classes from "./ToolCard.module.css";

interface Props {
  turnId: string;
  seq: number;
}

export function CallWhy({ turnId, seq }: Props) {
  const [open, setOpen] = useState(false);
  return (
    <div className={classes.why}>
      <WhyButton open={open} onToggle={() => setOpen(!open)}>
        <Told turnId={turnId} seq={seq} />
      </WhyButton>
    </div>
  );
}

function Told({ turnId, seq }: Props) {
  const turn = useTurnDetail(turnId, true);
  if (turn.isError && !turn.data) return <ErrorState inline error={turn.error} retry={() => void turn.refetch()} what="the rules" />;
  if (!turn.data) return <ListSkeleton rows={2} label="Loading the rules" />;
  const step = turn.data.steps?.find((one) => one.seq === seq);
  if (!step?.policy) return <p className={classes.none}>The rules have not been asked yet.</p>;
  return (
    <Judged policy={step.policy}>
      <ExplainLink turn={turn.data} step={step} />
    </Judged>
  );
}
