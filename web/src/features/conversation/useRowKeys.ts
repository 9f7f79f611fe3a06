import { type KeyboardEvent, type RefObject, useCallback } from "react";

interface Options {
  onOpen: (id: string) => void;
  onEdit: () => void;
}

/** The keys of the list: up and down or k and j from row to row, Enter opens, e edits one's last, Esc goes to writing. */
export function useRowKeys(feed: RefObject<HTMLElement | null>, { onOpen, onEdit }: Options) {
  return useCallback(
    (event: KeyboardEvent<HTMLElement>) => {
      const row = event.target instanceof HTMLElement && event.target.matches("[data-row]") ? event.target : null;
      const inList = row !== null || event.target === event.currentTarget;
      if (!inList || event.altKey || event.ctrlKey || event.metaKey) return;
      const by = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
      if (by) move(feed.current, row, by);
      else if (event.key === "Enter" && row?.dataset["row"]) onOpen(row.dataset["row"]);
      else if (event.key === "e") onEdit();
      else if (event.key === "Escape" && row) focusComposer(event.currentTarget);
      else return;
      event.preventDefault();
    },
    [feed, onOpen, onEdit],
  );
}

function move(feed: HTMLElement | null, from: HTMLElement | null, by: number): void {
  const rows = [...(feed?.querySelectorAll<HTMLElement>("[data-row]") ?? [])].sort(inPlace);
  const at = from ? rows.indexOf(from) + by : by > 0 ? firstInSight(rows) : rows.length - 1;
  const next = rows[at];
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: "nearest" });
}

/** Virtual rows need not stand in the document in the order in which they are seen. */
function inPlace(one: HTMLElement, other: HTMLElement): number {
  return one.getBoundingClientRect().top - other.getBoundingClientRect().top;
}

function firstInSight(rows: readonly HTMLElement[]): number {
  return Math.max(0, rows.findIndex((row) => row.getBoundingClientRect().top >= 48));
}

export function focusComposer(within: Element | null): void {
  const place = within?.closest("[data-dropzone]") ?? document;
  place.querySelector<HTMLElement>("[data-composer]")?.focus();
}
