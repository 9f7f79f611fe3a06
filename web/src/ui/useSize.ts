import { useCallback, useState, type RefCallback } from "react";

export interface Size {
  width: number;
  height: number;
}

/** The inner size of an element in pixels, known before the element is painted for the first time. */
export function useSize<T extends HTMLElement>(): [RefCallback<T>, Size] {
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  const ref = useCallback((node: T | null) => {
    if (!node) return;
    const measure = () => {
      const found = { width: node.clientWidth, height: node.clientHeight };
      setSize((before) => (before.width === found.width && before.height === found.height ? before : found));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(node);
    return () => observer.disconnect();
  }, []);
  return [ref, size];
}
