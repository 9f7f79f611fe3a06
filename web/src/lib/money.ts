/** Money as the API sends it: whole micro-units of a named currency. */
export interface Amount {
  amount_micro: number;
  currency: string;
}

const MICRO = 1_000_000;

/** "$1.25", "$0.0310" (four digits under ten cents, so that a column of them stands in line), "<$0.0001", "$0.00". */
export function money(amount: Amount, locale?: string): string {
  const value = amount.amount_micro / MICRO;
  const size = Math.abs(value);
  if (size > 0 && size < 0.0001) return `<${written(0.0001, 4, amount.currency, locale)}`;
  const digits = size === 0 || size >= 0.1 ? 2 : 4;
  return written(value, digits, amount.currency, locale);
}

function written(value: number, digits: number, currency: string, locale?: string): string {
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  try {
    const style = { style: "currency", currency, currencyDisplay: "narrowSymbol" } as const;
    return new Intl.NumberFormat(locale, { ...style, ...options }).format(value);
  } catch {
    return `${new Intl.NumberFormat(locale, options).format(value)} ${currency}`; // a currency that Intl does not know
  }
}

/** The sum of amounts, one for each currency among them, the largest first. */
export function total(amounts: Iterable<Amount>): Amount[] {
  const sums = new Map<string, number>();
  for (const { amount_micro, currency } of amounts) sums.set(currency, (sums.get(currency) ?? 0) + amount_micro);
  return [...sums].map(([currency, amount_micro]) => ({ currency, amount_micro })).sort((a, b) => b.amount_micro - a.amount_micro);
}

/** What somebody types into a money field, as micro-units; null when it is no amount. */
export function parseMoney(text: string): number | null {
  const plain = text.trim().replace(",", ".");
  if (!/^\d+(\.\d{0,6})?$/.test(plain)) return null;
  const [whole = "0", part = ""] = plain.split(".");
  const value = Number(whole) * MICRO + Number(part.padEnd(6, "0"));
  return Number.isSafeInteger(value) ? value : null;
}
