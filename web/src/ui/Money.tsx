import { type Amount, money } from "@/lib/money";

/** An amount, to the last micro-unit on hover. */
export function Money({ amount, className }: { amount: Amount | null | undefined; className?: string }) {
  if (!amount) return <span className={className}>–</span>;
  const precise = `${amount.amount_micro / 1_000_000} ${amount.currency}`;
  return (
    <span className={className} title={precise} style={{ fontVariantNumeric: "tabular-nums" }}>
      {money(amount)}
    </span>
  );
}
