/** Spans of time that tables are filtered by: back from now, or from a moment on. */

export const RANGES: Record<string, { label: string; ms: number }> = {
  "1h": { label: "Last hour", ms: 3_600_000 },
  "24h": { label: "Last 24 hours", ms: 86_400_000 },
  "7d": { label: "Last 7 days", ms: 7 * 86_400_000 },
  "30d": { label: "Last 30 days", ms: 30 * 86_400_000 },
};

/** Whether this is a range, or a moment (RFC 3339). */
export function isSince(value: unknown): value is string {
  return typeof value === "string" && (value in RANGES || isMoment(value));
}

export function isMoment(value: unknown): value is string {
  return typeof value === "string" && !Number.isNaN(Date.parse(value));
}

/** The moment it begins. A range counts back from `now`, in whole minutes, so that the question stays the same. */
export function sinceOf(since: string, now: number): string {
  const range = RANGES[since];
  const at = range ? Math.floor((now - range.ms) / 60_000) * 60_000 : Date.parse(since);
  return new Date(at).toISOString();
}
