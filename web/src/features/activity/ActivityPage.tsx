/** Every turn of every agent one may see: a live table that never moves under its reader. */
import { Button } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState, type MouseEvent, type ReactNode } from "react";

import { allInteractions, type Interaction } from "@/api/interactions";
import { useIsAdmin } from "@/api/me";
import { plural } from "@/lib/format";
import { DataTable } from "@/ui/DataTable";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorState } from "@/ui/ErrorState";
import { LinkAnchor } from "@/ui/links";
import { ListSkeleton } from "@/ui/ListSkeleton";
import { NewRows } from "@/ui/NewRows";
import { PageHeader } from "@/ui/PageHeader";
import { useNextPage } from "@/ui/useNextPage";

import { ActivityFilters } from "./ActivityFilters";
import classes from "./ActivityPage.module.css";
import { columns, compactRow } from "./columns";
import { isFiltered, nameOf, readSearch, sortOf, toFilters, type ActivitySearch } from "./filters";
import { useLog } from "./useLog";

export default function ActivityPage() {
  const admin = useIsAdmin();
  const raw = useSearch({ strict: false });
  const navigate = useNavigate();
  const [opened] = useState(() => Date.now());
  const search = useMemo(() => readSearch(raw), [raw]);
  const filters = useMemo(() => toFilters(search, opened), [search, opened]);
  const { log, rows, fresh, more, showFresh } = useLog(filters);
  const [shows, setShows] = useState(0);

  const setSearch = (next: ActivitySearch): void => void navigate({ to: "/activity", search: next, replace: true });
  const open = (row: Interaction, event?: MouseEvent): void => {
    if (event?.defaultPrevented) return; // the link in the row has done it
    void navigate({ to: "/activity/$interactionId", params: { interactionId: row.id } });
  };
  const onEnd = useNextPage(log);

  return (
    <div className={classes.page}>
      <PageHeader title="Activity" note="Every turn of every agent, as far as you may see it">
        <LinkAnchor to="/policies" className={classes.audit}>Policies</LinkAnchor>
        <LinkAnchor to="/usage" className={classes.audit}>Usage</LinkAnchor>
        {admin ? <LinkAnchor to="/audit" className={classes.audit}>Audit</LinkAnchor> : null}
      </PageHeader>
      <DataTable
        id="activity"
        label="Turns"
        columns={columns}
        rows={rows}
        rowKey={(row) => row.id}
        onOpen={open}
        compact={compactRow}
        onEnd={onEnd}
        topKey={`${JSON.stringify(search)}${shows}`}
        notice={fresh > 0 ? <NewRows count={fresh} more={more} onShow={() => { showFresh(); setShows(shows + 1); }} /> : null}
        tail={<Tail log={log} />}
        totals={log.hasNextPage ? `The ${plural(rows.length, "turn")} loaded so far` : rows.length === 1 ? "1 turn" : `All ${plural(rows.length, "turn")}`}
        exportName="activity"
        exportRows={() => allInteractions(filters)}
        sort={sortOf(search.sort)}
        onSort={(sort) => setSearch(readSearch({ ...search, sort: nameOf(sort) }))}
        toolbar={
          <ActivityFilters
            search={search}
            onChange={(id, value) => setSearch(readSearch({ ...search, [id]: value }))}
            onClear={() => setSearch({})}
          />
        }
      >
        {instead(log, rows, isFiltered(search), () => setSearch({}))}
      </DataTable>
    </div>
  );
}

type Log = ReturnType<typeof useLog>["log"];

/** What stands in place of rows, or null. A failure is never shown as an empty log. */
function instead(log: Log, rows: readonly Interaction[], filtered: boolean, clear: () => void): ReactNode {
  if (log.isPending) return <ListSkeleton rows={12} label="Loading turns" />;
  if (log.isError && rows.length === 0) {
    return <ErrorState error={log.error} retry={() => void log.refetch()} what="the turns" />;
  }
  if (rows.length > 0) return null;
  if (!filtered) return <EmptyState title="Quiet so far.">When somebody talks to an agent, its turn appears here.</EmptyState>;
  const action = <Button variant="default" size="xs" onClick={clear}>Clear the filters</Button>; // prettier-ignore
  return <EmptyState title="No turn fits these filters." action={action} />;
}

function Tail({ log }: { log: Log }) {
  if (log.isFetchingNextPage) return <ListSkeleton rows={3} label="Loading more turns" />;
  if (!log.isFetchNextPageError) return null;
  return <ErrorState inline error={log.error} retry={() => void log.fetchNextPage()} what="more turns" />;
}
