/** Whose policies one may write: which places there are, in what order, and which policies stand in each. Pure. */
import type { Policy } from "@/api/policies";
import type { Schemas } from "@/api/client";

export interface Place {
  key: string;
  layer: Policy["layer"];
  team_id: string | null;
  title: string;
  help: string;
}

interface Team {
  id: string;
  name: string;
}

interface Who {
  admin: boolean;
  teams: readonly Team[];
  /** One's own roles in teams. */
  memberships: readonly Pick<Schemas["Member"], "team_id" | "role">[];
}

const ACCOUNT: Place = {
  key: "account", layer: "account", team_id: null, title: "Account", help: "For every agent and everyone. No other policy can allow more.",
}; // prettier-ignore
const MINE: Place = {
  key: "user", layer: "user", team_id: null, title: "Mine", help: "For what agents do for you. Nobody else sees these.",
}; // prettier-ignore

/** Admins write everywhere, leads for the teams they lead, everyone for themselves. */
export function placesOf({ admin, teams, memberships }: Who): Place[] {
  const led = new Set(memberships.filter(({ role }) => role !== "member").map(({ team_id }) => team_id));
  const mine = teams.filter((team) => admin || led.has(team.id));
  return [...(admin ? [ACCOUNT] : []), ...mine.map(ofTeam), MINE];
}

function ofTeam({ id, name }: Team): Place {
  return { key: id, layer: "team", team_id: id, title: name, help: "For what agents do in the team's channels and for its people." };
}

export function stands(policy: Pick<Policy, "layer" | "team_id">, place: Pick<Place, "layer" | "team_id">): boolean {
  return policy.layer === place.layer && policy.team_id === place.team_id;
}

/** The policies of a place in the order in which they are told. */
export function inPlace(policies: readonly Policy[], place: Place): Policy[] {
  return policies
    .filter((policy) => stands(policy, place))
    .sort((a, b) => a.priority - b.priority || a.name.localeCompare(b.name));
}
