/** The log as a page shows it: rows that stay where they are, kept current in place, and how many are new. */
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef } from "react";

import {
  fetchInteraction, logKey, useInteractionHead, useInteractionLog, type Interaction, type InteractionFilters, type LogData,
} from "@/api/interactions"; // prettier-ignore
import { useLive } from "@/api/live";
import { rowsOf, unseen } from "@/lib/paged";

import { patched } from "./log";

const SETTLE_MS = 400;
/** Rows further down that changed at once; more than this and they wait for the next reload. */
const MOST_SINGLE = 20;

export function useLog(filters: InteractionFilters) {
  const client = useQueryClient();
  const log = useInteractionLog(filters);
  const head = useInteractionHead(filters, log.isSuccess);
  const rows = useMemo(() => rowsOf(log.data), [log.data]);
  const fresh = useMemo(() => unseen(rows, head.data?.data ?? []), [rows, head.data]);

  const patch = useCallback(
    (newer: readonly Interaction[]) =>
      client.setQueryData<LogData>(logKey(filters), (data) => (data ? patched(data, newer) : data)),
    [client, filters],
  );

  const showFresh = useCallback(() => {
    const page = head.data;
    if (page) client.setQueryData<LogData>(logKey(filters), { pages: [page], pageParams: [null] });
  }, [client, filters, head.data]);

  // what is under way changes in place; an empty log takes what comes at once
  useEffect(() => {
    if (!head.data) return;
    if (rows.length === 0 && head.data.data.length > 0) showFresh();
    else patch(head.data.data);
  }, [head.data, rows.length, patch, showFresh]);

  useNews(rows, head.data?.data, { refetch: head.refetch, patch });
  return { log, rows, fresh: fresh.length, more: (head.data?.next ?? null) !== null, showFresh };
}

interface Then {
  refetch: () => Promise<unknown>;
  patch: (newer: readonly Interaction[]) => void;
}

/** Listens for changed turns; looks at the newest once for many events, and singly at those that are further down. */
function useNews(rows: readonly Interaction[], newest: readonly Interaction[] | undefined, then: Then): void {
  const client = useQueryClient();
  const changed = useRef(new Set<string>());
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const latest = useRef({ rows, newest, then });
  useEffect(() => {
    latest.current = { rows, newest, then };
  });
  useEffect(() => () => clearTimeout(timer.current), []);

  const look = useCallback(() => {
    timer.current = undefined;
    const { rows: all, newest: top, then: act } = latest.current;
    const atTop = new Set(top?.map((row) => row.id));
    const below = all.filter((row) => changed.current.has(row.id) && !atTop.has(row.id)).slice(0, MOST_SINGLE);
    changed.current.clear();
    void act.refetch();
    for (const row of below) {
      fetchInteraction(client, row.id).then((found) => act.patch([found]), () => undefined);
    }
  }, [client]);

  const soon = useCallback(() => {
    timer.current ??= setTimeout(look, SETTLE_MS);
  }, [look]);
  useLive(["interaction", "thinking", "cancel"], (event) => {
    changed.current.add(event.id);
    soon();
  });
  useLive("resync", soon);
}
