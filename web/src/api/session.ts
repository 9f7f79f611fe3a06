/** Signing in and out. The session itself is a cookie that no script can read. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { api, type Schemas, unwrap } from "./client";
import { keys } from "./keys";

/** Which ways of signing in this installation has. */
export function useSignInMethods() {
  return useQuery({ queryKey: keys.signIn, queryFn: () => unwrap(api.GET("/v1/sign-in-methods")) });
}

export function useSignInByPassword() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["PasswordSignIn"]) => unwrap(api.POST("/v1/sessions", { body })),
    onSuccess: () => cache.clear(),
    gcTime: 0,
  });
}

/** Uses the one-time link up: only ever on a person's click. */
export function useSignInByLink() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (token: string) => unwrap(api.POST("/v1/sessions/link", { body: { token } })),
    onSuccess: () => cache.clear(),
    gcTime: 0,
  });
}

export function useSignOut() {
  return useMutation({ mutationFn: () => unwrap(api.DELETE("/v1/sessions/current")) });
}

/** Where the browser goes to sign in at the identity provider, and comes back from to `returnTo`. */
export function oidcAddress(returnTo: string): string {
  return `/v1/oidc/start?${new URLSearchParams({ return_to: returnTo }).toString()}`;
}
