/** What stands above a table on the right: which columns, and export. */
import { ActionIcon, Checkbox, Menu } from "@mantine/core";
import { IconColumns3, IconDownload } from "@tabler/icons-react";

import { toCsv, type Column } from "./columns";

interface ChoiceProps<T> {
  columns: readonly Column<T>[];
  shown: ReadonlySet<string>;
  onToggle: (id: string) => void;
}

export function ColumnChoice<T>({ columns, shown, onToggle }: ChoiceProps<T>) {
  return (
    <Menu position="bottom-end" closeOnItemClick={false} withinPortal>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size={32} aria-label="Choose columns">
          <IconColumns3 size={18} stroke={1.5} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {columns.map((column) => (
          <Menu.Item
            key={column.id}
            role="menuitemcheckbox"
            aria-checked={shown.has(column.id)}
            disabled={column.fixed}
            onClick={() => onToggle(column.id)}
            leftSection={
              <Checkbox.Indicator size="xs" checked={shown.has(column.id)} disabled={column.fixed} aria-hidden />
            }
          >
            {column.title}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

interface ExportProps {
  onExport: () => void;
  busy: boolean;
}

export function ExportButton({ onExport, busy }: ExportProps) {
  return (
    <ActionIcon aria-label="Export as CSV" data-tip="Export as CSV" onClick={onExport} loading={busy}>
      <IconDownload size={18} stroke={1.5} />
    </ActionIcon>
  );
}

/** Hands the rows to the browser as a file. */
export function saveCsv<T>(name: string, rows: readonly T[], columns: readonly Column<T>[]): void {
  saveFile(`${name}.csv`, "text/csv;charset=utf-8", toCsv(rows, columns));
}

export function saveFile(name: string, type: string, content: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
