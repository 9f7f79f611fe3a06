import { describe, expect, it } from "vitest";

import { nextSort, sortRows, toCsv, visible, type Column } from "./columns";

interface Row {
  name: string;
  cost: number | null;
}

const columns: Column<Row>[] = [
  { id: "name", title: "Name", cell: (row) => row.name, value: (row) => row.name, width: 100 },
  { id: "cost", title: "Cost", cell: (row) => row.cost, value: (row) => row.cost, width: 80 },
];
const rows: Row[] = [
  { name: "b", cost: 2 },
  { name: "a", cost: null },
  { name: "C", cost: 10 },
];
const names = (list: readonly Row[]): string => list.map((row) => row.name).join("");

describe("a table", () => {
  it("sorts text without regard to case and numbers by size, unknown values last both ways", () => {
    expect(names(sortRows(rows, columns, { by: "name", descending: false }))).toBe("abC");
    expect(names(sortRows(rows, columns, { by: "cost", descending: false }))).toBe("bCa");
    expect(names(sortRows(rows, columns, { by: "cost", descending: true }))).toBe("Cba");
    expect(names(sortRows(rows, columns, null))).toBe("baC");
  });

  it("begins numbers at the top, text at the start, and lets go at the third click", () => {
    const first = nextSort(null, "cost", true);
    expect(first).toEqual({ by: "cost", descending: true });
    const second = nextSort(first, "cost", true);
    expect(second).toEqual({ by: "cost", descending: false });
    expect(nextSort(second, "cost", true)).toBeNull();
    expect(nextSort(second, "name", false)).toEqual({ by: "name", descending: false });
  });

  it("writes CSV that no spreadsheet runs", () => {
    const odd: Row[] = [{ name: '=1+"1",2', cost: -3 }, { name: "two\nlines", cost: null }];
    expect(toCsv(odd, columns)).toBe('Name,Cost\r\n"\'=1+""1"",2",-3\r\n"two\nlines",\r\n');
  });

  it("renders what is in view and some more, of ten thousand rows", () => {
    expect(visible(10_000, 36, 0, 720)).toEqual([0, 30]);
    expect(visible(10_000, 36, 36_000, 720)).toEqual([990, 1030]);
    expect(visible(10_000, 36, 1e9, 720)).toEqual([10_000, 10_000]);
    expect(visible(0, 36, 0, 720)).toEqual([0, 0]);
  });
});
