/**
 * A table of things that open: sticky header, order, column choice, totals, keyboard (j, k, Enter), export, and ten
 * thousand rows, of which only those in view are in the document. It knows nothing of where rows come from.
 */
import { useLocalStorage, useMergedRef } from "@mantine/hooks";
import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState, type MouseEvent, type ReactNode } from "react";

import { NARROW, showsAt, sortRows, sumWidth, visible, type Column, type Sort } from "./table/columns";
import { ColumnChoice, ExportButton, saveCsv } from "./table/TableTools";
import { Body, Foot, Head } from "./table/TableParts";
import { useRowKeys } from "./table/useRowKeys";
import { useSize } from "./useSize";
import classes from "./DataTable.module.css";

export interface DataTableProps<T> {
  /** Under which the choice of columns is kept. */
  id: string;
  /** What the rows are, for those who do not see it: "Interactions". */
  label: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  rowKey: (row: T) => string;
  onOpen: (row: T, event?: MouseEvent) => void;
  /** The row whose details are open. */
  opened?: string | null;
  /** A row in one cell, for narrow screens. */
  compact?: (row: T) => ReactNode;
  /** Given when the order is made elsewhere; without it the table sorts what it has. */
  sort?: Sort | null;
  onSort?: (sort: Sort | null) => void;
  /** Other rows begin at the top: when this changes. */
  topKey?: string | number;
  /** Above the rows, inside the table, such as "3 new". */
  notice?: ReactNode;
  /** Below the rows: loading more, could not load more. */
  tail?: ReactNode;
  /** What the totals are of: "All 37 turns". Without it there are none. */
  totals?: string;
  /** Called when the end comes near. */
  onEnd?: () => void;
  /** Left of the tools: filters. */
  toolbar?: ReactNode;
  exportName?: string;
  /** All rows for the export, where the table has only some. */
  exportRows?: () => Promise<readonly T[]>;
  /** Instead of rows: empty, loading, could not load. */
  children?: ReactNode;
}

const ROW = 36;
const COMPACT_ROW = 64;

export function DataTable<T>(props: DataTableProps<T>) {
  const { columns, rowKey, onOpen, onEnd } = props;
  const id = useId();
  const scroller = useRef<HTMLDivElement>(null);
  const [measure, size] = useSize<HTMLDivElement>();
  const attach = useMergedRef(scroller, measure);
  const [scrollTop, setScrollTop] = useState(0);
  const [ownSort, setOwnSort] = useState<Sort | null>(null);
  const [activeKey, setActiveKey] = useState<string | null>(null);
  const choice = useColumnChoice(props.id, columns, size.width);

  const sort = props.onSort ? (props.sort ?? null) : ownSort;
  const rows = useMemo(
    () => (props.onSort ? props.rows : sortRows(props.rows, columns, ownSort)),
    [props.rows, props.onSort, columns, ownSort],
  );
  const narrow = Boolean(props.compact) && size.width < NARROW;
  const rowHeight = narrow ? COMPACT_ROW : ROW;
  const [from, to] = visible(rows.length, rowHeight, scrollTop, size.height);
  const active = activeKey === null ? -1 : rows.findIndex((row) => rowKey(row) === activeKey);
  const near = to >= rows.length - 5;
  useEffect(() => {
    if (near && rows.length > 0) onEnd?.();
  }, [near, rows.length, onEnd]);

  function move(index: number): void {
    const row = rows[index];
    if (row === undefined) return;
    setActiveKey(rowKey(row));
    reveal(scroller.current, index, rowHeight);
  }

  const onKeyDown = useRowKeys({
    container: scroller, count: rows.length, active, page: Math.max(1, Math.floor(size.height / rowHeight) - 3), move,
    open: (index) => { const row = rows[index]; if (row !== undefined) onOpen(row); },
  }); // prettier-ignore
  useLayoutEffect(() => {
    scroller.current?.scrollTo({ top: 0 });
  }, [props.topKey]);

  const shown = narrow ? [] : columns.filter((column) => choice.shown.has(column.id));
  const rowId = (index: number): string => `${id}-${index}`;
  return (
    <div className={classes.whole}>
      <Tools {...props} rows={rows} choice={choice} narrow={narrow} />
      <div
        ref={attach}
        className={classes.scroller}
        {...(props.children ? {} : { role: "grid", "aria-label": props.label, "aria-rowcount": rows.length + 1, tabIndex: 0 })}
        aria-activedescendant={active >= from && active < to ? rowId(active) : undefined}
        onKeyDown={onKeyDown}
        onScroll={(event) => setScrollTop(event.currentTarget.scrollTop)}
      >
        {props.children ?? (
          <table className={classes.table} role="presentation" style={{ minWidth: narrow ? 0 : sumWidth(shown) }}>
            <Head columns={shown} sort={sort} onSort={props.onSort ?? setOwnSort} />
            <Body
              {...{ rows, columns: shown, from, to, rowHeight, rowId, rowKey, active, notice: props.notice, tail: props.tail }}
              compact={narrow ? props.compact : undefined}
              opened={props.opened ?? null}
              onOpen={(row, event) => {
                setActiveKey(rowKey(row));
                onOpen(row, event);
              }}
            />
            {props.totals && rows.length > 0 && !narrow ? (
              <Foot columns={shown} rows={rows} label={props.totals} />
            ) : null}
          </table>
        )}
      </div>
    </div>
  );
}

interface ToolsProps<T> extends DataTableProps<T> {
  choice: ReturnType<typeof useColumnChoice>;
  narrow: boolean;
}

function Tools<T>({ toolbar, exportName, exportRows, rows, columns, choice, narrow }: ToolsProps<T>) {
  const [busy, setBusy] = useState(false);
  async function onExport(): Promise<void> {
    setBusy(true);
    try {
      saveCsv(exportName ?? "rows", exportRows ? await exportRows() : rows, columns);
    } finally {
      setBusy(false);
    }
  }
  return (
    <div className={classes.tools}>
      <div className={classes.filters}>{toolbar}</div>
      {narrow ? null : <ColumnChoice columns={columns} shown={choice.shown} onToggle={choice.toggle} />}
      {exportName ? <ExportButton onExport={() => void onExport()} busy={busy} /> : null}
    </div>
  );
}

/** Which columns are shown; what somebody has changed is kept on this device. */
function useColumnChoice<T>(id: string, columns: readonly Column<T>[], width: number) {
  const [changed, setChanged] = useLocalStorage<Record<string, boolean>>({ key: `retinue.columns.${id}`, defaultValue: {} });
  const isShown = (column: Column<T>): boolean => column.fixed || (changed[column.id] ?? showsAt(column, width));
  const shown = new Set(columns.filter(isShown).map((column) => column.id));
  return { shown, toggle: (name: string) => setChanged({ ...changed, [name]: !shown.has(name) }) };
}

/** Scroll just as far as it takes to see the row between header and totals. */
function reveal(scroller: HTMLElement | null, index: number, rowHeight: number): void {
  if (!scroller) return;
  const top = index * rowHeight;
  const room = scroller.clientHeight - 3 * rowHeight;
  if (top < scroller.scrollTop) scroller.scrollTop = top;
  else if (top > scroller.scrollTop + room) scroller.scrollTop = top - room;
}
