/** For which later calls an approval is to stand, as one chooses it. Pure, but for what day it is. */
import type { Schemas } from "@/api/client";

export interface LaterValues {
  on: boolean;
  /** In how many days it ends, or "date". */
  end: string;
  date: string;
  channel: boolean;
  person: boolean;
  exact: boolean;
}

export const OFF: LaterValues = { on: false, end: "7", date: "", channel: true, person: true, exact: false };

export const ENDS = [
  { value: "1", label: "Tomorrow" },
  { value: "7", label: "In a week" },
  { value: "30", label: "In 30 days" },
  { value: "date", label: "A date" },
];

const DAY_MS = 86_400_000;

/** A day from today as a date field takes it: 2026-03-12. */
export function dateOf(days: number, now: number = Date.now()): string {
  const day = new Date(now + days * DAY_MS);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}

type Call = Pick<Schemas["Approval"], "channel_id" | "user_id">;

/** What is sent; null where the approval is for this one call. An empty date is sent as now, which the server refuses. */
export function grantOf(values: LaterValues, call: Call, now: number = Date.now()): Schemas["GrantWish"] | null {
  if (!values.on) return null;
  const picked = values.end === "date" ? Date.parse(`${values.date}T23:59:59`) : now + Number(values.end) * DAY_MS;
  return {
    until: new Date(Number.isNaN(picked) ? now : picked).toISOString(),
    channel: values.channel && call.channel_id !== null,
    person: values.person && call.user_id !== null,
    exact: values.exact,
  };
}
