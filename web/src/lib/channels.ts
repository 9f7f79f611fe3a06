/** Channels in words, who may do what with them, and finding one among many. Pure. */
import type { Schemas } from "@/api/client";

import { atLeast, isAdmin, type Role } from "./roles";

type Channel = Schemas["Channel"];
type Kind = Schemas["ChannelKind"];
type Member = Schemas["ChannelMember"];
type Me = Pick<Schemas["Me"], "role" | "scopes" | "user">;

export interface Words {
  label: string;
  help: string;
}

export const KINDS: Record<Kind, Words> = {
  organisation: { label: "Organisation", help: "Everyone in the organisation is in it." },
  team: { label: "Team", help: "Everyone in one team is in it." },
  group: { label: "Group", help: "Those who are added are in it." },
  private: { label: "Private", help: "For you and those you add, such as one agent." },
};

export const KIND_ORDER: readonly Kind[] = ["group", "private", "team", "organisation"];

export const TRIGGERS: Record<Schemas["TriggerMode"], Words> = {
  mention: { label: "When mentioned", help: "Answers messages that name it." },
  proactive: { label: "Every message", help: "Answers everything that is said." },
  silent: { label: "Never by itself", help: "Reads along and works only when it is started." },
};

export const POLICIES: Record<Schemas["InputPolicy"], Words> = {
  coalesce: { label: "Take it in", help: "The agent reads it at its next step, in the same turn." },
  queue: { label: "Queue it", help: "It gets a turn of its own, after this one." },
  steer: { label: "Start again", help: "The turn stops and begins again with the new message." },
  reject: { label: "Refuse it", help: "It is not sent; try again when the turn is done." },
};

export const DELIVERIES: Record<Channel["default_delivery"], Words> = {
  inline: { label: "In the channel", help: "Everyone in the channel sees the reply in place." },
  threaded: { label: "In a thread", help: "Under the message that asked." },
  direct: { label: "Only to who asked", help: "Nobody else sees the reply." },
  silent: { label: "Without a message", help: "The work is done; only its state shows." },
};

/** Whether this person may change the channel and who is in it; the server has the last word. */
export function mayChange(me: Me | undefined, members: readonly Member[] | undefined, teamRole: Role | null): boolean {
  if (!me) return false;
  if (isAdmin(me) || (teamRole !== null && atLeast(teamRole, "lead"))) return true;
  return members?.some((one) => one.user_id === me.user.id && one.role === "owner") ?? false;
}

/** Why this person cannot make a channel of this kind; null when they can. */
export function whyNot(kind: Kind, me: Me | undefined, leads: boolean): string | null {
  const admin = isAdmin(me);
  if (kind === "organisation" && !admin) return "Takes an admin.";
  if (kind === "team" && !admin && !leads) return "Takes a lead of the team or an admin.";
  return null;
}

/** People are in these by belonging to the organisation or the team; nobody adds or removes them. */
export function isByBelonging(kind: Kind): boolean {
  return kind === "organisation" || kind === "team";
}

/** Whether the one owner of a channel with other people would leave it. */
export function isLastOwner(members: readonly Member[], userId: string, kind: Kind): boolean {
  if (isByBelonging(kind)) return false;
  const people = members.filter((one) => one.kind === "user");
  const owners = people.filter((one) => one.role === "owner");
  return people.length > 1 && owners.length === 1 && owners[0]?.user_id === userId;
}

/** `4 people, 2 agents`. */
export function membersInWords(members: readonly Pick<Member, "kind">[]): string {
  const agents = members.filter((one) => one.kind === "agent").length;
  const people = members.length - agents;
  const parts = [people === 1 ? "1 person" : `${people} people`];
  if (agents > 0) parts.push(agents === 1 ? "1 agent" : `${agents} agents`);
  return parts.join(", ");
}

export interface ChannelWish {
  query: string;
  kind?: Kind;
}

/** The channels asked for, those with news first, then by the last thing said. */
export function findChannels(channels: readonly Channel[], { query, kind }: ChannelWish): Channel[] {
  const words = query.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (channel: Channel) => {
    const text = `${channel.name} ${channel.slug ?? ""}`.toLowerCase();
    return (!kind || channel.kind === kind) && words.every((word) => text.includes(word));
  };
  return channels.filter(fits).sort((a, b) => lastSaid(b) - lastSaid(a) || a.name.localeCompare(b.name));
}

export function lastSaid(channel: Channel): number {
  return Date.parse(channel.last_message_at ?? channel.created_at);
}
