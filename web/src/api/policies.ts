/** Policies: rules over what agents may do, their history, what they would have changed, and why a call is allowed or not. */
import { keepPreviousData, useMutation, useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";

import { api, ApiError, unwrap, type Schemas } from "./client";
import { keys } from "./keys";
import { everyPage } from "./pages";

export type Policy = Schemas["Policy"];
export type SavedPolicy = Schemas["SavedPolicy"];
export type NewPolicy = Schemas["NewPolicy"];
export type PolicyChange = Schemas["PolicyChange"];
export type PolicyVersion = Schemas["PolicyVersion"];
export type Rule = NonNullable<Policy["rule"]>;
export type GivenRule = NewPolicy["rule"];
export type RuleType = Schemas["RuleType"];
export type Preview = Schemas["PolicyPreview"];
export type Draft = Schemas["PolicyDraft"];
export type Governance = Schemas["Governance"];
export type Hypothesis = Schemas["Hypothesis"];
export type Explanation = Schemas["Explanation"];

const ALL = 200;

/** Every policy one may see: the account's, those of one's teams, one's own. */
export function usePolicies() {
  return useQuery({
    queryKey: keys.policies.list(),
    queryFn: () =>
      everyPage((after) => unwrap(api.GET("/v1/policies", { params: { query: { limit: ALL, ...(after ? { after } : {}) } } }))),
  });
}

export function usePolicy(id: string) {
  return useQuery({
    queryKey: keys.policies.one(id),
    queryFn: () => unwrap(api.GET("/v1/policies/{policy_id}", { params: { path: { policy_id: id } } })),
    enabled: id !== "",
  });
}

/** What the policy has said, newest first. */
export function usePolicyVersions(id: string, enabled: boolean) {
  return useQuery({
    queryKey: keys.policies.versions(id),
    queryFn: () =>
      everyPage((after) =>
        unwrap(
          api.GET("/v1/policies/{policy_id}/versions", {
            params: { path: { policy_id: id }, query: { limit: ALL, ...(after ? { after } : {}) } },
          }),
        ),
      ),
    enabled: enabled && id !== "",
  });
}

function told(cache: QueryClient, policy: SavedPolicy): Promise<unknown> {
  cache.setQueryData<Policy>(keys.policies.one(policy.id), policy);
  return cache.invalidateQueries({ queryKey: keys.policies.all });
}

export function useCreatePolicy() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: NewPolicy) => unwrap(api.POST("/v1/policies", { body })),
    onSuccess: (policy) => told(cache, policy),
  });
}

interface Edit {
  id: string;
  /** With `version` refused (409, `wrong_state`) when somebody else was quicker. */
  change: PolicyChange;
}

export function useUpdatePolicy() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ id, change }: Edit) =>
      unwrap(api.PATCH("/v1/policies/{policy_id}", { params: { path: { policy_id: id } }, body: change })),
    onSuccess: (policy) => told(cache, policy),
    onError: () => cache.invalidateQueries({ queryKey: keys.policies.all }),
  });
}

/** Removes a policy; any version of it can be restored. */
export function useDeletePolicy() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ id, version }: { id: string; version: number }) =>
      unwrap(
        api.DELETE("/v1/policies/{policy_id}", { params: { path: { policy_id: id }, header: { "if-match": `"${version}"` } } }),
      ),
    onSuccess: (_, { id }) => {
      cache.removeQueries({ queryKey: keys.policies.one(id), exact: true });
      return cache.invalidateQueries({ queryKey: keys.policies.lists });
    },
  });
}

/** Has the policy say again what it said in that version; a removed one comes back. */
export function useRestorePolicy() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ id, version }: { id: string; version: number }) =>
      unwrap(
        api.POST("/v1/policies/{policy_id}/versions/{version}/restore", { params: { path: { policy_id: id, version } } }),
      ),
    onSuccess: (policy) => told(cache, policy),
  });
}

/** What the change would have made of the last seven days; nothing is asked while there is no draft. */
export function usePreview(draft: Draft | null) {
  return useQuery({
    queryKey: keys.policies.preview(draft ?? {}),
    queryFn: ({ signal }) => unwrap(api.POST("/v1/policies/preview", { body: draft ?? {}, signal })),
    enabled: draft !== null,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    gcTime: 60_000,
    retry: (count, error) => count < 2 && !(error instanceof ApiError && error.status > 0 && error.status < 500),
    meta: { live: false },
  });
}

/** What would happen to a call that is not made; nothing is asked while there is no question. */
export function useExplanation(asked: Hypothesis | null) {
  return useQuery({
    queryKey: keys.policies.explanation(asked ?? {}),
    queryFn: ({ signal }) => unwrap(api.POST("/v1/policy/explain", { body: asked ?? { agent_id: "" }, signal })),
    enabled: asked !== null,
    staleTime: 0,
    gcTime: 0,
    retry: (count, error) => count < 2 && !(error instanceof ApiError && error.status > 0 && error.status < 500),
    meta: { live: false },
  });
}

// ── what the account has decided for all agents ────────────────────────────────────────────────────────────────────

export interface Governed {
  value: Governance;
  /** What a change says it was made of. */
  tag: string | null;
}

async function tagged(asked: Promise<{ data?: Governance; error?: unknown; response: Response }>): Promise<Governed> {
  let tag: string | null = null;
  const value = await unwrap(
    asked.then((answer) => {
      tag = answer.response.headers.get("etag");
      return answer;
    }),
  );
  return { value, tag };
}

export function useGovernance(enabled: boolean) {
  return useQuery({ queryKey: keys.governance, queryFn: () => tagged(api.GET("/v1/governance")), enabled });
}

export function usePutGovernance() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ value, tag }: Governed) =>
      tagged(api.PUT("/v1/governance", { params: { header: tag ? { "if-match": tag } : {} }, body: value })),
    onSuccess: (found) => {
      cache.setQueryData<Governed>(keys.governance, found);
    },
  });
}
