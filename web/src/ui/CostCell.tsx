import { VisuallyHidden } from "@mantine/core";

import { money, type Amount } from "@/lib/money";

interface Props {
  cost: Amount | null | undefined;
  /** A model in it has no known price: what is known is the least it cost. */
  unpriced?: boolean;
}

/** What something cost. "At least" where not every price is known, a dash where none is. */
export function CostCell({ cost, unpriced = false }: Props) {
  if (!cost || (unpriced && cost.amount_micro === 0)) {
    return (
      <span title="The price of this model is not known.">
        <span aria-hidden>–</span>
        <VisuallyHidden>price unknown</VisuallyHidden>
      </span>
    );
  }
  const exact = `${cost.amount_micro / 1_000_000} ${cost.currency}`;
  const title = unpriced ? `At least ${exact}: not every model in it has a known price.` : exact;
  return (
    <span title={title} style={{ fontVariantNumeric: "tabular-nums" }}>
      {unpriced ? "≥ " : ""}
      {money(cost)}
    </span>
  );
}
