/** The record of audit: its lines, how far it is sealed, and whether it is as it was sealed. For admins. */
import { useInfiniteQuery, useMutation, useQuery, useQueryClient, type InfiniteData } from "@tanstack/react-query";

import { api, unwrap, type Schemas } from "./client";
import { FROZEN } from "./frozen";
import { keys } from "./keys";
import type { paths } from "./schema";

export type AuditLine = Schemas["AuditEvent"];
export type AuditPage = Schemas["Page_AuditEvent_"];
export type AuditLog = InfiniteData<AuditPage>;
export type AuditFilters = Omit<NonNullable<paths["/v1/audit"]["get"]["parameters"]["query"]>, "limit" | "after">;
export type SealState = Schemas["SealState"];
export type Report = Schemas["Report"];
export type Finding = Schemas["Finding"];

const PAGE = 100;
const MOST = 200;
const POLL_MS = 5_000;
const AROUND_MS = 60_000;
const PAGES_AROUND = 20;

function fetchPage(filters: AuditFilters, limit: number, after?: string): Promise<AuditPage> {
  return unwrap(api.GET("/v1/audit", { params: { query: { ...filters, limit, ...(after ? { after } : {}) } } }));
}

/** The lines as they were when they were loaded: rows must not move under whoever reads them. */
export function useAuditLog(filters: AuditFilters) {
  return useInfiniteQuery({
    queryKey: keys.audit.log(filters),
    queryFn: ({ pageParam }): Promise<AuditPage> => fetchPage(filters, PAGE, pageParam ?? undefined),
    ...FROZEN,
  });
}

/** The first page as it is now, to compare with. */
export function useAuditHead(filters: AuditFilters, enabled: boolean) {
  return useQuery({
    queryKey: keys.audit.head(filters),
    queryFn: () => fetchPage(filters, PAGE),
    enabled,
    staleTime: 0,
    meta: { live: false },
  });
}

/** One line, looked for around the time it was written; null where it is no longer in the record. */
export function useAuditLine(id: string, at: number | null, enabled: boolean) {
  return useQuery({
    queryKey: keys.audit.one(id),
    queryFn: () => (at === null ? null : findLine(id, at)),
    enabled,
    staleTime: Infinity,
  });
}

async function findLine(id: string, at: number): Promise<AuditLine | null> {
  const filters = { since: new Date(at - AROUND_MS).toISOString(), until: new Date(at + AROUND_MS).toISOString() };
  let after: string | undefined;
  for (let page = 0; page < PAGES_AROUND; page += 1) {
    const { data, next } = await fetchPage(filters, MOST, after);
    const found = data.find((line) => line.id === id);
    if (found || !next) return found ?? null;
    after = next;
  }
  return null;
}

/** How far the record is sealed. Asked every few seconds while the page is seen: audit has no live events. */
export function useSeal() {
  return useQuery({
    queryKey: keys.audit.seal,
    queryFn: () => unwrap(api.GET("/v1/audit/seal")),
    refetchInterval: POLL_MS,
    meta: { live: false },
  });
}

export function useSealKeys() {
  return useQuery({
    queryKey: keys.audit.keys,
    queryFn: () => unwrap(api.GET("/v1/audit/keys")),
    staleTime: Infinity,
    meta: { live: false },
  });
}

/** Compares every stored line with its seal. Where one differs, what is shown may be older than that: it is read anew. */
export function useVerify() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => unwrap(api.POST("/v1/audit/verify")),
    onSuccess: ({ faults }) => client.invalidateQueries({ queryKey: faults > 0 ? keys.audit.all : keys.audit.seal }),
  });
}

/** Where the sealed lines of this time are downloaded from. */
export function exportAddress({ since, until }: Pick<AuditFilters, "since" | "until">): string {
  const wanted = new URLSearchParams({ ...(since ? { since } : {}), ...(until ? { until } : {}) });
  return `/v1/audit/export${wanted.size > 0 ? `?${wanted.toString()}` : ""}`;
}
