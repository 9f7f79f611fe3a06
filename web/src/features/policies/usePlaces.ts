import { useMe } from "@/api/me";
import { useOwnMemberships } from "@/api/members";
import { useTeams } from "@/api/teams";
import { isAdmin } from "@/lib/roles";

import { type Place, placesOf } from "./places";

interface Places {
  data: Place[] | undefined;
  isError: boolean;
  error: unknown;
  refetch: () => unknown;
}

/** The places in which one may write policies. */
export function usePlaces(): Places {
  const me = useMe().data;
  const teams = useTeams();
  const memberships = useOwnMemberships(me?.user.id ?? null);
  const failed = teams.isError ? teams : memberships;
  const data =
    me && teams.data && memberships.data
      ? placesOf({ admin: isAdmin(me), teams: teams.data, memberships: memberships.data })
      : undefined;
  return { data, isError: teams.isError || memberships.isError, error: failed.error, refetch: () => failed.refetch() };
}
