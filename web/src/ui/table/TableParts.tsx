/** The parts of a table: head, rows in view, totals. The scroller around them is the grid. */
import { UnstyledButton } from "@mantine/core";
import { IconArrowDown, IconArrowUp } from "@tabler/icons-react";
import type { MouseEvent, ReactNode } from "react";

import classes from "../DataTable.module.css";
import { nextSort, type Column, type Sort } from "./columns";

interface HeadProps<T> {
  columns: readonly Column<T>[];
  sort: Sort | null;
  onSort: (sort: Sort | null) => void;
}

export function Head<T>({ columns, sort, onSort }: HeadProps<T>) {
  if (columns.length === 0) return null;
  return (
    <>
      <colgroup>
        {columns.map((column) => (
          <col key={column.id} style={column.grow ? undefined : { width: column.width }} />
        ))}
      </colgroup>
      <thead role="rowgroup" className={classes.head}>
        <tr role="row" aria-rowindex={1}>
          {columns.map((column) => (
            <HeadCell key={column.id} column={column} sort={sort} onSort={onSort} />
          ))}
        </tr>
      </thead>
    </>
  );
}

function HeadCell<T>({ column, sort, onSort }: { column: Column<T> } & Omit<HeadProps<T>, "columns">) {
  const sorted = sort?.by === column.id ? (sort.descending ? "descending" : "ascending") : "none";
  const Arrow = sorted === "descending" ? IconArrowDown : IconArrowUp;
  return (
    <th
      role="columnheader"
      scope="col"
      data-align={column.align}
      aria-sort={column.sortable ? sorted : undefined}
    >
      {column.sortable ? (
        <UnstyledButton
          className={classes.sort}
          onClick={() => onSort(nextSort(sort, column.id, column.align === "right"))}
        >
          {column.title}
          <Arrow size={12} stroke={2} aria-hidden style={{ visibility: sorted === "none" ? "hidden" : "visible" }} />
        </UnstyledButton>
      ) : (
        column.title
      )}
    </th>
  );
}

interface BodyProps<T> {
  rows: readonly T[];
  columns: readonly Column<T>[];
  from: number;
  to: number;
  rowHeight: number;
  rowId: (index: number) => string;
  rowKey: (row: T) => string;
  active: number;
  opened: string | null;
  notice?: ReactNode;
  tail?: ReactNode;
  compact?: (row: T) => ReactNode;
  onOpen: (row: T, event: MouseEvent) => void;
}

export function Body<T>(props: BodyProps<T>) {
  const { rows, columns, from, to, rowHeight, notice } = props;
  const span = Math.max(1, columns.length);
  return (
    <tbody role="rowgroup">
      <Extra className={classes.notice} span={span}>
        {notice}
      </Extra>
      <Spacer height={from * rowHeight} span={span} />
      {rows.slice(from, to).map((row, index) => (
        <Row key={props.rowKey(row)} {...props} row={row} index={from + index} />
      ))}
      <Spacer height={(rows.length - to) * rowHeight} span={span} />
      <Extra className={classes.tail} span={span}>
        {props.tail}
      </Extra>
    </tbody>
  );
}

function Extra({ className, span, children }: { className?: string; span: number; children: ReactNode }) {
  if (!children) return null;
  return (
    <tr role="row">
      <td role="gridcell" colSpan={span} className={className}>
        {children}
      </td>
    </tr>
  );
}

function Row<T>({ row, index, ...props }: BodyProps<T> & { row: T; index: number }) {
  const { columns, rowHeight, rowId, rowKey, active, opened, compact, onOpen } = props;
  return (
    <tr
      id={rowId(index)}
      role="row"
      className={classes.row}
      style={{ height: rowHeight }}
      aria-rowindex={index + 2}
      aria-selected={opened === rowKey(row)}
      data-active={index === active || undefined}
      onClick={(event) => onOpen(row, event)}
    >
      {compact ? (
        <td role="gridcell">{compact(row)}</td>
      ) : (
        columns.map((column) => (
          <td key={column.id} role="gridcell" data-align={column.align}>
            {column.cell(row)}
          </td>
        ))
      )}
    </tr>
  );
}

function Spacer({ height, span }: { height: number; span: number }) {
  if (height <= 0) return null;
  return (
    <tr aria-hidden style={{ height }}>
      <td colSpan={span} />
    </tr>
  );
}

interface FootProps<T> {
  columns: readonly Column<T>[];
  rows: readonly T[];
  label: string;
}

export function Foot<T>({ columns, rows, label }: FootProps<T>) {
  // the words take the columns up to the first that has a total
  const words = columns.findIndex((column) => column.total);
  return (
    <tfoot role="rowgroup" className={classes.foot}>
      <tr role="row">
        {words !== 0 ? (
          <td role="gridcell" colSpan={words < 0 ? columns.length : words}>
            {label}
          </td>
        ) : null}
        {(words < 0 ? [] : columns.slice(words)).map((column) => (
          <td key={column.id} role="gridcell" data-align={column.align}>
            {column.total?.(rows)}
          </td>
        ))}
      </tr>
    </tfoot>
  );
}
