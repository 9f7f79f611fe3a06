/** The keyboard of a table: j, k, arrows, Home, End and pages move; Enter opens. The table keeps the focus, rows do not. */
import { useEffect, type KeyboardEvent as ReactKeyboardEvent, type RefObject } from "react";

interface RowKeys {
  container: RefObject<HTMLElement | null>;
  count: number;
  active: number;
  page: number;
  move: (to: number) => void;
  open: (index: number) => void;
}

const EDITABLE = "input, textarea, select, [contenteditable=true], [role=dialog], [role=menu], [role=listbox]";

/** The row a key leads to, or null for a key that moves nothing. */
export function target(key: string, active: number, count: number, page: number): number | null {
  const last = count - 1;
  const to: Record<string, number> = {
    j: active + 1, ArrowDown: active + 1, k: active - 1, ArrowUp: active - 1, Home: 0, End: last,
    PageDown: active + page, PageUp: active - page,
  }; // prettier-ignore
  const wanted = to[key];
  return wanted === undefined || count === 0 ? null : Math.min(Math.max(wanted, 0), last);
}

/** Gives the handler for the table itself; j and k also work while nothing else on the page has the focus. */
export function useRowKeys({ container, count, active, page, move, open }: RowKeys) {
  function onKeyDown(event: ReactKeyboardEvent | KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const to = target(event.key, active, count, page);
    if (to !== null) {
      event.preventDefault();
      move(to);
    } else if (event.key === "Enter" && active >= 0) {
      event.preventDefault();
      open(active);
    }
  }

  useEffect(() => {
    const anywhere = (event: KeyboardEvent): void => {
      const at = event.target;
      if ((event.key !== "j" && event.key !== "k") || !(at instanceof Element)) return;
      if (at.closest(EDITABLE) || container.current?.contains(at)) return;
      container.current?.focus({ preventScroll: true });
      onKeyDown(event);
    };
    document.addEventListener("keydown", anywhere);
    return () => document.removeEventListener("keydown", anywhere);
  });

  return (event: ReactKeyboardEvent): void => {
    if (event.target === container.current) onKeyDown(event);
  };
}
