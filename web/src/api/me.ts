/** Who is signed in. */
import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { api, type Schemas, unwrap } from "./client";
import { keys } from "./keys";

export type Me = Schemas["Me"];

export const meQuery = queryOptions({ queryKey: keys.me, queryFn: () => unwrap(api.GET("/v1/me")) });

export function useMe() {
  return useQuery(meQuery);
}

/** Whether the signed-in person may administer the account; false while that is not known. */
export function useIsAdmin(): boolean {
  const { data } = useMe();
  return data?.role === "owner" || data?.role === "admin";
}

/** Change one's own name, time zone or locale. */
export function useUpdateMe() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ userId, changes }: { userId: string; changes: Schemas["UserChanges"] }) =>
      unwrap(api.PATCH("/v1/users/{user_id}", { params: { path: { user_id: userId } }, body: changes })),
    onSuccess: () =>
      Promise.all([cache.invalidateQueries({ queryKey: keys.me }), cache.invalidateQueries({ queryKey: keys.users.all })]),
  });
}
