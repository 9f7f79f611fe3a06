/** Who may do what, as the server decides it: owner > admin > lead > member. Pages hide what would be refused. */
import type { Schemas } from "@/api/client";

export type Role = Schemas["Role"];

const RANK: Record<Role, number> = { member: 0, lead: 1, admin: 2, owner: 3 };

export const ROLES: readonly Role[] = ["member", "lead", "admin", "owner"];

export const ROLE_WORDS: Record<Role, { label: string; help: string }> = {
  member: { label: "Member", help: "Talks with people and agents." },
  lead: { label: "Lead", help: "Like a member; runs the teams they lead." },
  admin: { label: "Admin", help: "Manages people, agents, tools and settings." },
  owner: { label: "Owner", help: "Like an admin; also manages owners." },
};

export function atLeast(role: Role, needed: Role): boolean {
  return RANK[role] >= RANK[needed];
}

/** Admins manage admins and below; only owners touch owners. */
export function mayManage(caller: Role, target: Role): boolean {
  return atLeast(caller, "admin") && atLeast(caller, target);
}

/** The roles this person may give. */
export function givable(caller: Role): Role[] {
  return ROLES.filter((role) => mayManage(caller, role));
}

interface Rights {
  role: Role;
  scopes: readonly Schemas["Scope"][];
}

export function isAdmin(me: Rights | null | undefined): boolean {
  return Boolean(me && atLeast(me.role, "admin") && me.scopes.includes("admin"));
}

/** Whether taking this role from a person, or the person away, would leave the account without an owner. */
export function isLastOwner(people: readonly { id: string; role: Role | null; status: string }[], id: string): boolean {
  const owners = people.filter((person) => person.role === "owner" && person.status === "active");
  return owners.length === 1 && owners[0]?.id === id;
}
