/** The record of who did what, for admins: nothing here can be changed, and whether it was is one button away. */
import { Button } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState, type MouseEvent, type ReactNode } from "react";

import { useAuditLine, useSeal, type AuditLine } from "@/api/audit";
import { useMe } from "@/api/me";
import { isAdmin } from "@/lib/roles";
import { madeAt } from "@/lib/typeid";
import { DataTable } from "@/ui/DataTable";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorState } from "@/ui/ErrorState";
import { LinkAnchor } from "@/ui/links";
import { ListSkeleton } from "@/ui/ListSkeleton";
import { NewRows } from "@/ui/NewRows";
import { PageHeader } from "@/ui/PageHeader";
import { Panel } from "@/ui/Panel";
import { useNextPage } from "@/ui/useNextPage";

import type { Names } from "./about";
import { auditColumns, compactLine } from "./auditColumns";
import { AuditFilterBar } from "./AuditFilterBar";
import classes from "./AuditPage.module.css";
import { eventWords } from "./events";
import { isFiltered, readSearch, toFilters, type AuditSearch } from "./filters";
import { LinePanel } from "./LinePanel";
import { SealBar } from "./SealBar";
import { useNames } from "./useNames";
import { useRecord } from "./useRecord";

export default function AuditPage() {
  const me = useMe();
  if (!me.data) return <ListSkeleton rows={12} label="Loading the record" />;
  return isAdmin(me.data) ? <Whole /> : <NoRights />;
}

function NoRights() {
  return (
    <div className={classes.page}>
      <PageHeader title="Audit" />
      <EmptyState title="Audit is read by admins." action={<LinkAnchor to="/activity">See the activity</LinkAnchor>}>
        What agents did where you are, you see in the activity.
      </EmptyState>
    </div>
  );
}

function Whole() {
  const raw = useSearch({ strict: false });
  const navigate = useNavigate();
  const [opened] = useState(() => Date.now());
  const search = useMemo(() => readSearch(raw), [raw]);
  const { line, ...wanted } = search;
  const asked = JSON.stringify(wanted);
  const filters = useMemo(() => toFilters(JSON.parse(asked) as AuditSearch, opened), [asked, opened]);
  const seal = useSeal();
  const { log, rows, fresh, more, showFresh } = useRecord(filters, seal.data);
  const [shows, setShows] = useState(0);
  const names = useNames();
  const columns = useMemo(() => auditColumns(names), [names]);
  const compact = useMemo(() => compactLine(names), [names]);

  const setSearch = (next: AuditSearch): void => void navigate({ to: "/audit", search: next, replace: true });
  const open = (row: AuditLine, event?: MouseEvent): void => {
    if (event?.defaultPrevented) return; // a link in the row has done it
    setSearch(row.id === line ? wanted : { ...wanted, line: row.id });
  };
  const onEnd = useNextPage(log);
  const clear = (): void => setSearch(line ? { line } : {});

  return (
    <div className={classes.whole}>
      <div className={classes.page}>
        <PageHeader title="Audit" note="Who did what, line by line; nothing here can be changed">
          <LinkAnchor to="/activity" className={classes.back}>Activity</LinkAnchor>
        </PageHeader>
        <SealBar seal={seal} filters={filters} />
        <DataTable
          id="audit"
          label="Lines of the record"
          columns={columns}
          rows={rows}
          rowKey={(row) => row.id}
          onOpen={open}
          opened={line ?? null}
          compact={compact}
          onEnd={onEnd}
          topKey={`${asked}${shows}`}
          notice={fresh > 0 ? <NewRows count={fresh} more={more} onShow={() => { showFresh(); setShows(shows + 1); }} /> : null}
          tail={<Tail log={log} />}
          toolbar={
            <AuditFilterBar
              search={search}
              onChange={(id, value) => setSearch(readSearch({ ...search, [id]: value }))}
              onClear={clear}
            />
          }
        >
          {instead(log, rows, isFiltered(search), clear)}
        </DataTable>
      </div>
      {line ? <OpenLine id={line} rows={rows} names={names} onClose={() => setSearch(wanted)} /> : null}
    </div>
  ); // prettier-ignore
}

type Log = ReturnType<typeof useRecord>["log"];

/** What stands in place of rows, or null. A failure is never shown as an empty record. */
function instead(log: Log, rows: readonly AuditLine[], filtered: boolean, clear: () => void): ReactNode {
  if (log.isPending) return <ListSkeleton rows={12} label="Loading the record" />;
  if (log.isError && rows.length === 0) return <ErrorState error={log.error} retry={() => void log.refetch()} what="the record" />;
  if (rows.length > 0) return null;
  if (!filtered) return <EmptyState title="Nothing was done yet.">Whatever people and agents do is written down here.</EmptyState>;
  const action = <Button variant="default" size="xs" onClick={clear}>Clear the filters</Button>; // prettier-ignore
  return <EmptyState title="No line fits these filters." action={action} />;
}

function Tail({ log }: { log: Log }) {
  if (log.isFetchingNextPage) return <ListSkeleton rows={3} label="Loading more lines" />;
  if (!log.isFetchNextPageError) return null;
  return <ErrorState inline error={log.error} retry={() => void log.fetchNextPage()} what="more lines" />;
}

interface OpenProps {
  id: string;
  rows: readonly AuditLine[];
  names: Names;
  onClose: () => void;
}

/** The line of the address, from the rows or, where they have it not, by itself. */
function OpenLine({ id, rows, names, onClose }: OpenProps) {
  const here = rows.find((row) => row.id === id);
  const found = useAuditLine(id, madeAt(id), !here);
  const line = here ?? found.data;
  return (
    <Panel title={line ? eventWords(line.event) : "A line"} onClose={onClose}>
      {line ? <LinePanel line={line} names={names} /> : <Missing found={found} />}
    </Panel>
  );
}

function Missing({ found }: { found: ReturnType<typeof useAuditLine> }) {
  if (found.isPending) return <ListSkeleton rows={6} label="Loading the line" />;
  if (found.isError) return <ErrorState error={found.error} retry={() => void found.refetch()} what="this line" />;
  return <EmptyState title="This line is gone or never was.">Verify names what is missing.</EmptyState>;
}
