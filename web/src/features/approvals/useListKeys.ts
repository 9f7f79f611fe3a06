import { type RefObject, useEffect } from "react";

/** j and k go from card to card, as in every list. */
export function useListKeys(box: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const step = event.key === "j" ? 1 : event.key === "k" ? -1 : 0;
      if (step === 0 || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (event.target instanceof Element && event.target.matches("input, textarea, select, [contenteditable]")) return;
      const cards = [...(box.current?.querySelectorAll<HTMLElement>("li > [role=group]") ?? [])];
      const here = cards.findIndex((card) => card.contains(document.activeElement));
      const next = cards[here < 0 ? (step > 0 ? 0 : cards.length - 1) : here + step];
      if (!next) return;
      event.preventDefault();
      next.focus();
      next.scrollIntoView({ block: "nearest" });
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [box]);
}
