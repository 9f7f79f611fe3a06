import { Link } from "@tanstack/react-router";

import type { TurnDetail } from "@/api/turns";
import { shortModel } from "@/lib/format";
import { reasonOf } from "@/lib/reasons";
import { duration } from "@/lib/time";
import { Money } from "@/ui/Money";

import classes from "./TurnItem.module.css";

interface Props {
  turnId: string;
  model: string | null;
  /** Time and cost; they follow a moment later, in the place that is kept for them. */
  detail: TurnDetail | null;
  /** The limit that cut the turn short. */
  limited: string | null;
}

/** One quiet line under a reply: model, time, cost, and the way to all of it. */
export function MetaLine({ turnId, model, detail, limited }: Props) {
  return (
    <div className={classes.meta}>
      {model && <span title={model}>{shortModel(model)}</span>}
      {detail && <span title="Time the turn was running">{duration(detail.running_seconds * 1000)}</span>}
      {detail && <Cost detail={detail} />}
      {limited && <span>{reasonOf(limited).replace(/\.$/, "")}</span>}
      <span>
        <Link to="/activity/$interactionId" params={{ interactionId: turnId }} aria-label="Details of this turn">
          Details
        </Link>
      </span>
    </div>
  );
}

/** A sum with an unknown price in it is a lower bound, and says so. */
function Cost({ detail }: { detail: TurnDetail }) {
  if (!detail.unpriced) return <Money amount={detail.cost} />;
  if (detail.cost.amount_micro === 0) return <span title="No price is known for this model">price unknown</span>;
  return (
    <span title="A part of it has no known price">
      at least <Money amount={detail.cost} />
    </span>
  );
}
