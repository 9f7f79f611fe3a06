/** The lines as a page shows them: they stay where they are; what was written since waits to be asked for. */
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef } from "react";

import { useAuditHead, useAuditLog, type AuditFilters, type AuditLog, type SealState } from "@/api/audit";
import { keys } from "@/api/keys";
import { rowsOf, unseen } from "@/lib/paged";

/** `seal` tells when there may be more: it moves with every line that is written. */
export function useRecord(filters: AuditFilters, seal: SealState | undefined) {
  const client = useQueryClient();
  const log = useAuditLog(filters);
  const head = useAuditHead(filters, log.isSuccess);
  const rows = useMemo(() => rowsOf(log.data), [log.data]);
  const fresh = useMemo(() => unseen(rows, head.data?.data ?? []), [rows, head.data]);

  const showFresh = useCallback(() => {
    const page = head.data;
    if (!page) return;
    client.setQueryData<AuditLog>(keys.audit.log(filters), { pages: [page], pageParams: [null] });
    // they may speak of people and teams that are new too
    for (const queryKey of [keys.users.all, keys.teams.all]) void client.invalidateQueries({ queryKey });
  }, [client, filters, head.data]);

  // an empty record takes what comes at once
  useEffect(() => {
    if (rows.length === 0 && head.data && head.data.data.length > 0) showFresh();
  }, [head.data, rows.length, showFresh]);

  const mark = seal ? `${seal.hash} ${seal.unsealed}` : null;
  const last = useRef(mark);
  const { refetch } = head;
  useEffect(() => {
    if (mark !== null && last.current !== null && mark !== last.current) void refetch();
    last.current = mark;
  }, [mark, refetch]);

  return { log, rows, fresh: fresh.length, more: (head.data?.next ?? null) !== null, showFresh };
}
