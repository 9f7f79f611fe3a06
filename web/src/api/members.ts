/** People of the account as admins manage them: inviting, roles, pausing. Reading people is users.ts. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { api, unwrap, type Schemas } from "./client";
import { keys } from "./keys";
import { everyPage } from "./pages";

export type Member = Schemas["Member"];
export type Person = Schemas["UserDetail"];
export type SignInLink = Schemas["SignInLink"];
export type UserChanges = Schemas["UserChanges"];

/** Everyone in the account, suspended people too. */
export function usePeople() {
  return useQuery({
    queryKey: keys.users.list({ all: true }),
    queryFn: () =>
      everyPage((after) => unwrap(api.GET("/v1/users", { params: { query: { limit: 200, ...(after ? { after } : {}) } } }))),
  });
}

/** Makes the person, then a link that signs them in once. A person without a link is not lost: make another link. */
export function useInvite() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: async (body: Schemas["NewUser"]): Promise<{ person: Person; link: SignInLink }> => {
      const person = await unwrap(api.POST("/v1/users", { body }));
      const link = await unwrap(api.POST("/v1/sign-in-links", { body: { user_id: person.id } }));
      return { person, link };
    },
    onSettled: () => cache.invalidateQueries({ queryKey: keys.users.all }),
    gcTime: 0,
  });
}

export function useMakeLink() {
  return useMutation({
    mutationFn: (user: string) => unwrap(api.POST("/v1/sign-in-links", { body: { user_id: user } })),
    gcTime: 0,
  });
}

/** A person's role in the account. */
export function useSetRole() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: async ({ user, role }: { user: string; role: Schemas["Role"] }) => {
      const found = await unwrap(api.GET("/v1/members", { params: { query: { user_id: user, limit: 200 } } }));
      const own = found.data.find((member) => member.team_id === null);
      if (!own) return unwrap(api.POST("/v1/members", { body: { user_id: user, role } }));
      return unwrap(
        api.PATCH("/v1/members/{member_id}", { params: { path: { member_id: own.id } }, body: { role } }),
      );
    },
    onSettled: () => cache.invalidateQueries({ queryKey: keys.users.all }),
  });
}

export function useUpdateUser() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ user, changes }: { user: string; changes: UserChanges }) =>
      unwrap(api.PATCH("/v1/users/{user_id}", { params: { path: { user_id: user } }, body: changes })),
    onSuccess: () =>
      Promise.all([
        cache.invalidateQueries({ queryKey: keys.users.all }),
        cache.invalidateQueries({ queryKey: keys.me }),
      ]),
  });
}

/** One's own roles: in the account (`team_id` null) and in teams. */
export function useOwnMemberships(user: string | null) {
  return useQuery({
    queryKey: keys.members.list({ user }),
    queryFn: () =>
      everyPage((after) =>
        unwrap(api.GET("/v1/members", { params: { query: { user_id: user ?? "", limit: 200, ...(after ? { after } : {}) } } })),
      ),
    enabled: user !== null,
  });
}
