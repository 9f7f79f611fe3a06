import { ActionIcon } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { type ReactNode, useEffect, useId, useRef } from "react";

import classes from "./Panel.module.css";

interface Props {
  title: ReactNode;
  onClose: () => void;
  children: ReactNode;
  /** Actions beside the title. */
  actions?: ReactNode;
}

/** The right panel, 380 px, closed by Esc; a page of its own on narrow screens. Focus comes in, and goes back. */
export function Panel({ title, onClose, children, actions }: Props) {
  const id = useId();
  const panel = useRef<HTMLElement>(null);
  useReturningFocus(panel);
  useEscape(panel, onClose);
  return (
    <aside ref={panel} className={classes.panel} aria-labelledby={id} tabIndex={-1} data-panel>
      <header className={classes.head}>
        <h2 id={id} className={classes.title}>
          {title}
        </h2>
        {actions}
        <ActionIcon aria-label="Close panel" onClick={onClose}>
          <IconX size={18} stroke={1.5} />
        </ActionIcon>
      </header>
      <div className={classes.body}>{children}</div>
    </aside>
  );
}

function useReturningFocus(panel: React.RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const before = document.activeElement;
    const own = panel.current;
    if (own && !own.contains(before)) own.focus({ preventScroll: true });
    return () => {
      const lost = document.activeElement === document.body || own?.contains(document.activeElement);
      if (lost && before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, [panel]);
}

/** Whether something is open over the page. A list of choices that was closed stays in the document, unseen. */
function isOver(): boolean {
  const found = document.querySelectorAll("[role='dialog'], [role='menu'], [role='listbox']");
  return [...found].some((one) => one.getClientRects().length > 0);
}

function useEscape(panel: React.RefObject<HTMLElement | null>, onClose: () => void): void {
  const close = useRef(onClose);
  useEffect(() => {
    close.current = onClose;
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      if (isOver()) return; // theirs first
      const inField = event.target instanceof Element && event.target.matches("input, textarea, [contenteditable]");
      if (inField && !panel.current?.contains(event.target)) return;
      event.preventDefault();
      close.current();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [panel]);
}
