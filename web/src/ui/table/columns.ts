/** What a column of a table is, and the pure parts of tables: order, totals, CSV. */
import type { ReactNode } from "react";

export type CellValue = string | number | null;

export interface Column<T> {
  id: string;
  title: string;
  cell: (row: T) => ReactNode;
  /** The plain value: for sorting here and for CSV. */
  value: (row: T) => CellValue;
  /** Pixels; with `grow` the least. */
  width: number;
  grow?: boolean;
  align?: "left" | "right";
  sortable?: boolean;
  /** What stands under the column, of the rows that are there. */
  total?: (rows: readonly T[]) => ReactNode;
  /** Not shown until somebody asks for it. */
  optional?: boolean;
  /** Shown by itself only in a table at least this many pixels wide. */
  from?: number;
  /** Always shown. */
  fixed?: boolean;
}

export interface Sort {
  by: string;
  descending: boolean;
}

/** Narrower tables show their rows in one cell each, where they can. */
export const NARROW = 640;

/** Whether a table of this many pixels shows the column by itself. */
export function showsAt<T>(column: Column<T>, width: number): boolean {
  return !column.optional && width >= (column.from ?? 0);
}

export function sumWidth<T>(columns: readonly Column<T>[]): number {
  return columns.reduce((total, column) => total + column.width, 0);
}

/** The widths, of those at which columns come in, at which what is shown does not fit. */
export function tooNarrow<T>(columns: readonly Column<T>[]): number[] {
  const widths = [NARROW, ...columns.flatMap((column) => column.from ?? [])];
  return widths.filter((width) => sumWidth(columns.filter((column) => showsAt(column, width))) > width);
}

/** Rows in the order asked for; rows without a value come last whichever way; equal rows keep their order. */
export function sortRows<T>(rows: readonly T[], columns: readonly Column<T>[], sort: Sort | null): readonly T[] {
  const column = sort && columns.find((one) => one.id === sort.by);
  if (!column) return rows;
  const sign = sort.descending ? -1 : 1;
  return [...rows].sort((a, b) => compare(column.value(a), column.value(b), sign));
}

function compare(a: CellValue, b: CellValue, sign: number): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  if (typeof a === "number" && typeof b === "number") return sign * (a - b);
  return sign * String(a).localeCompare(String(b), undefined, { numeric: true, sensitivity: "base" });
}

/** A click on a header: first as that column is best read (numbers from the top), then the other way, then no more. */
export function nextSort(sort: Sort | null, by: string, numeric: boolean): Sort | null {
  if (sort?.by !== by) return { by, descending: numeric };
  return sort.descending === numeric ? { by, descending: !numeric } : null;
}

/** RFC 4180, with a header. Text that a spreadsheet would run as a formula is quoted. */
export function toCsv<T>(rows: readonly T[], columns: readonly Column<T>[]): string {
  const lines = [columns.map((column) => field(column.title)), ...rows.map((row) => columns.map((column) => field(column.value(row))))];
  return `${lines.map((line) => line.join(",")).join("\r\n")}\r\n`;
}

function field(value: CellValue): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Which rows to render: those in view and some around, never past the ends. */
export function visible(count: number, rowHeight: number, scrollTop: number, height: number, around = 10): [number, number] {
  const first = Math.floor(Math.max(0, scrollTop) / rowHeight);
  const last = Math.ceil((Math.max(0, scrollTop) + height) / rowHeight);
  const from = Math.max(0, Math.min(first - around, count));
  return [from, Math.max(from, Math.min(last + around, count))];
}
