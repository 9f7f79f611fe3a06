/** The filters of the record: as they stand in the address, and as the API takes them. */
import type { AuditFilters } from "@/api/audit";
import { isMoment, isSince, sinceOf } from "@/lib/ranges";

export interface AuditSearch {
  /** An event, or a noun with its dot. */
  event?: string;
  /** The id of a user or agent, or "system" or "external". */
  actor?: string;
  interaction_id?: string;
  /** "1h", "24h", "7d", "30d", or a moment (RFC 3339). */
  since?: string;
  until?: string;
  /** The line that is open. No filter. */
  line?: string;
}

const EVENT = /^[a-z_]+(\.[a-z_]*)?$/;
const ACTOR = /^((usr|agt)_[0-9a-z]{26}|system|external)$/;
const TURN = /^int_[0-9a-z]{26}$/;
const LINE = /^aud_[0-9a-z]{26}$/;

/** What of an address is understood; the rest is left out rather than shown as an error. */
export function readSearch(raw: Record<string, unknown>): AuditSearch {
  const search: AuditSearch = {};
  for (const [name, shape] of [["event", EVENT], ["actor", ACTOR], ["interaction_id", TURN], ["line", LINE]] as const) {
    const value = raw[name];
    if (typeof value === "string" && shape.test(value)) search[name] = value;
  } // prettier-ignore
  if (isSince(raw["since"])) search.since = raw["since"];
  if (isMoment(raw["until"])) search.until = raw["until"];
  return search;
}

/** What the API is asked for. */
export function toFilters({ event, actor, interaction_id, since, until }: AuditSearch, now: number): AuditFilters {
  const filters: AuditFilters = {};
  if (event) filters.event = event;
  if (actor === "system" || actor === "external") filters.actor_type = actor;
  else if (actor) filters.actor_id = actor;
  if (interaction_id) filters.interaction_id = interaction_id;
  if (since) filters.since = sinceOf(since, now);
  if (until) filters.until = new Date(until).toISOString();
  return filters;
}

export function isFiltered(search: AuditSearch): boolean {
  return Object.keys(search).some((name) => name !== "line");
}
