import { useCallback, useEffect, useRef } from "react";

import { saveDraft, type Draft } from "@/lib/draft";

const PAUSE = 300;

/** Keeps the draft a moment after each change, and at once when the page or the channel is left. */
export function useDraft(key: string, draft: Draft): { flush: () => void } {
  const latest = useRef(draft);
  const flush = useCallback(() => saveDraft(key, latest.current), [key]);
  useEffect(() => {
    latest.current = draft;
    const timer = setTimeout(flush, PAUSE);
    return () => clearTimeout(timer);
  }, [draft, flush]);
  useEffect(() => {
    window.addEventListener("pagehide", flush);
    return () => {
      window.removeEventListener("pagehide", flush);
      flush();
    };
  }, [flush]);
  return { flush };
}
