/** The rows of the log and what has happened since they were loaded. Rows change in place; new ones wait to be asked for. */
import type { Interaction, LogData } from "@/api/interactions";

/** Newer versions of rows that are there; the same object when nothing has changed. */
export function patched(data: LogData, newer: readonly Interaction[]): LogData {
  const byId = new Map(newer.map((row) => [row.id, row]));
  const pages = data.pages.map((page) =>
    page.data.some((row) => differs(row, byId.get(row.id)))
      ? { ...page, data: page.data.map((row) => byId.get(row.id) ?? row) }
      : page,
  );
  return pages.some((page, at) => page !== data.pages[at]) ? { ...data, pages } : data;
}

function differs(row: Interaction, newer: Interaction | undefined): boolean {
  if (!newer) return false;
  const telling = ["state", "attempt", "ended_at", "started_at", "input_tokens", "output_tokens", "error_detail"] as const;
  return telling.some((name) => row[name] !== newer[name]) || row.cost.amount_micro !== newer.cost.amount_micro;
}
