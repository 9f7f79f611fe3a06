/** What a line of the record speaks of, read from its detail: things with names and places, and a few words. Pure. */
import type { AuditLine } from "@/api/audit";
import { label, names as listed, plural, shortModel } from "@/lib/format";
import { ofInteraction } from "@/lib/states";

export interface Names {
  agent: (id: string) => string | undefined;
  channel: (id: string) => string | undefined;
  person: (id: string) => string | undefined;
  team: (id: string) => string | undefined;
}

export type Thing =
  | { kind: "agent" | "person" | "team"; id: string; label: string }
  | { kind: "channel"; id: string; message?: string; label: string }
  | { kind: "turn"; id: string; step?: number; label: string }
  | { kind: "code"; label: string };

type Detail = AuditLine["detail"];

function text(detail: Detail, name: string): string | undefined {
  const value = detail[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function texts(detail: Detail, name: string): string[] {
  const value = detail[name];
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
}

/** Who did it, in words. */
export function actorOf(line: AuditLine, names: Names): string {
  const id = line.actor_id ?? "";
  if (line.actor_type === "user") return names.person(id) ?? "Someone who is gone";
  if (line.actor_type === "agent") return names.agent(id) ?? "An agent that is gone";
  return line.actor_type === "system" ? "Retinue" : id || "Another system";
}

/** Everything it names, what matters most first; the turn it belongs to last. */
export function thingsOf(line: AuditLine, names: Names): Thing[] {
  const { detail } = line;
  return [...ofAgent(line, names), ...ofTools(line), ...ofPeople(line, names), ...ofPlaces(detail, names), ...ofTurn(line)];
}

function ofAgent({ detail, event, actor_id }: AuditLine, names: Names): Thing[] {
  const id = text(detail, "agent_id");
  if (!id || id === actor_id) return [];
  const gone = event === "agent.delete" ? text(detail, "slug") : undefined;
  return [{ kind: "agent", id, label: names.agent(id) ?? gone ?? "an agent that is gone" }];
}

function ofTools({ detail, event }: AuditLine): Thing[] {
  const single = text(detail, "tool") ?? (event.startsWith("tool.") ? (text(detail, "slug") ?? text(detail, "name")) : undefined);
  const found = single ? [single] : texts(detail, "tools");
  const secret = text(detail, "secret_name");
  return [...found, ...(secret ? [secret] : [])].map((name) => ({ kind: "code", label: name }));
}

function ofPeople({ detail, actor_id }: AuditLine, names: Names): Thing[] {
  const id = text(detail, "user_id") ?? text(detail, "recipient_id");
  if (!id || id === actor_id) return [];
  return [{ kind: "person", id, label: names.person(id) ?? "someone who is gone" }];
}

function ofPlaces(detail: Detail, names: Names): Thing[] {
  const [team, channel, message] = [text(detail, "team_id"), text(detail, "channel_id"), text(detail, "message_id")];
  const things: Thing[] = [];
  if (team) things.push({ kind: "team", id: team, label: names.team(team) ?? text(detail, "slug") ?? "a team" });
  if (channel) {
    const name = names.channel(channel) ?? "a channel you are not in";
    things.push({ kind: "channel", id: channel, ...(message ? { message } : {}), label: message ? `a message in ${name}` : name });
  }
  return things;
}

function ofTurn({ interaction_id, step_seq }: AuditLine): Thing[] {
  if (!interaction_id) return [];
  if (step_seq === null) return [{ kind: "turn", id: interaction_id, label: "a turn" }];
  return [{ kind: "turn", id: interaction_id, step: step_seq, label: `step ${step_seq} of a turn` }];
}

const STATES = ["queued", "running", "waiting", "succeeded", "failed", "cancelled"] as const;
const PLAIN = ["role", "format", "which", "kind"] as const;

/** The rest that is worth a glance: "succeeded", "name, prompt", "as admin". Empty when there is nothing. */
export function notesOf({ event, detail }: AuditLine): string {
  const state = STATES.find((name) => name === detail["state"]);
  const error = text(detail, "error") ?? text(detail, "reason");
  const parts = [
    state ? ofInteraction(state).label.toLowerCase() : detail["ok"] === false ? "failed" : undefined,
    error && error !== state ? label(error).toLowerCase() : undefined,
    listed(texts(detail, "fields").map((field) => label(field).toLowerCase()), 3) || undefined,
    ...PLAIN.map((name) => text(detail, name)),
    shortModel(text(detail, "model") ?? "") || undefined,
    text(detail, "method") ? `by ${text(detail, "method") ?? ""}` : undefined,
    event === "audit.verify" ? verified(detail) : undefined,
  ];
  return [...new Set(parts.filter((part) => part !== undefined))].join(", ");
}

function verified(detail: Detail): string | undefined {
  const { lines, faults } = detail;
  if (typeof lines !== "number" || typeof faults !== "number") return undefined;
  return faults === 0 ? `${plural(lines, "line")}, whole` : plural(faults, "finding");
}
