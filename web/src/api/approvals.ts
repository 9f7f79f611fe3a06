/** Calls that wait for a person's approval, and approvals that stand for later calls. */
import { useMutation, useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";

import { api, ApiError, unwrap, type Schemas } from "./client";
import { keys } from "./keys";
import { everyPage } from "./pages";

export type Approval = Schemas["Approval"];
export type Wish = Schemas["Wish"];
export type GrantWish = Schemas["GrantWish"];
export type Grant = Schemas["GrantView"];
export type ApprovalFilters = { mine: Schemas["Mine"]; state?: Schemas["WaitState"] };

const ALL = 200;

/** One request, as it stands; live events keep it so. */
export function useApproval(id: string) {
  return useQuery({
    queryKey: keys.approvals.one(id),
    queryFn: () => unwrap(api.GET("/v1/approvals/{wait_id}", { params: { path: { wait_id: id } } })),
    retry: (failures, error) => failures < 3 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
  });
}

/** Requests, newest first: open ones that wait for one's own word, or those on one's own behalf. */
export function useApprovals(filters: ApprovalFilters) {
  return useQuery({
    queryKey: keys.approvals.list(filters),
    queryFn: () =>
      everyPage((after) =>
        unwrap(api.GET("/v1/approvals", { params: { query: { ...filters, limit: ALL, ...(after ? { after } : {}) } } })),
      ),
  });
}

/** Those that wait for one's own decision. */
export function useToDecide() {
  return useApprovals({ mine: "to_decide", state: "open" });
}

/** What is now known of one request is shown at once, whatever lists do. */
function took(client: QueryClient, approval: Approval): Promise<unknown> {
  client.setQueryData(keys.approvals.one(approval.id), approval);
  return Promise.all([
    client.invalidateQueries({ queryKey: keys.approvals.lists }),
    client.invalidateQueries({ queryKey: keys.grants }),
    client.invalidateQueries({ queryKey: keys.interactions.one(approval.interaction_id) }),
  ]);
}

/** One's own word on a request. Where somebody was quicker, what they said is fetched. */
export function useDecide(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (wish: Wish) =>
      unwrap(api.POST("/v1/approvals/{wait_id}/decide", { params: { path: { wait_id: id } }, body: wish })),
    onSuccess: (approval) => void took(client, approval),
    onError: () => client.invalidateQueries({ queryKey: keys.approvals.one(id) }),
  });
}

export function useWithdraw(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => unwrap(api.POST("/v1/approvals/{wait_id}/withdraw", { params: { path: { wait_id: id } } })),
    onSuccess: (approval) => void took(client, approval),
    onError: () => client.invalidateQueries({ queryKey: keys.approvals.one(id) }),
  });
}

/** Approvals that stand for later calls; with `ended` also those that are over. */
export function useGrants(ended = false) {
  return useQuery({
    queryKey: [...keys.grants, { ended }],
    queryFn: () =>
      everyPage((after) => unwrap(api.GET("/v1/grants", { params: { query: { ended, limit: ALL, ...(after ? { after } : {}) } } }))),
  });
}

export function useRevokeGrant() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => unwrap(api.DELETE("/v1/grants/{grant_id}", { params: { path: { grant_id: id } } })),
    onSettled: () => client.invalidateQueries({ queryKey: keys.grants }),
  });
}
