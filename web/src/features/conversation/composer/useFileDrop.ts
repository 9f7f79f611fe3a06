import { useEffect, useState, type RefObject } from "react";

import { bringsFiles, filesOf } from "./attachments";

/** Where the overlay stands while files are over the conversation; null while none are. */
export type DropArea = Pick<DOMRect, "top" | "left" | "width" | "height">;

/** What takes files for a composer: the panel or the page it stands in. */
function zoneOf(element: HTMLElement): HTMLElement {
  return element.closest<HTMLElement>("[data-dropzone], [data-panel], main") ?? document.body;
}

/** Lets files be dropped anywhere on the conversation that `element` belongs to. */
export function useFileDrop(element: RefObject<HTMLElement | null>, onFiles: (files: File[]) => void, enabled: boolean) {
  const [area, setArea] = useState<DropArea | null>(null);
  useEffect(() => {
    const own = element.current;
    if (!own || !enabled) return;
    const zone = zoneOf(own);
    const mine = (event: DragEvent) =>
      bringsFiles(event.dataTransfer) && event.target instanceof Element && zoneOf(event.target as HTMLElement) === zone;
    const over = (event: DragEvent) => {
      if (!mine(event)) return;
      event.preventDefault();
      if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
      setArea((now) => now ?? zone.getBoundingClientRect());
    };
    const leave = (event: DragEvent) => {
      const to = event.relatedTarget;
      if (!(to instanceof Node) || !zone.contains(to)) setArea(null);
    };
    const drop = (event: DragEvent) => {
      setArea(null);
      if (!mine(event)) return;
      event.preventDefault();
      onFiles(filesOf(event.dataTransfer));
    };
    const end = () => setArea(null);
    zone.addEventListener("dragenter", over);
    zone.addEventListener("dragover", over);
    zone.addEventListener("dragleave", leave);
    zone.addEventListener("drop", drop);
    window.addEventListener("dragend", end);
    return () => {
      zone.removeEventListener("dragenter", over);
      zone.removeEventListener("dragover", over);
      zone.removeEventListener("dragleave", leave);
      zone.removeEventListener("drop", drop);
      window.removeEventListener("dragend", end);
    };
  }, [element, onFiles, enabled]);
  return area;
}
