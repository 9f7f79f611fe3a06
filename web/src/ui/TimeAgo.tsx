import { useSyncExternalStore } from "react";

import { exact, relative } from "@/lib/time";

const TICK = 15_000;
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    listeners.forEach((each) => each());
  }, TICK);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** The present, again every 15 seconds; all who ask share one timer. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}

/** "5 min ago", with the exact time on hover. */
export function TimeAgo({ when, className }: { when: string; className?: string }) {
  const now = useNow();
  const since = new Date(when).getTime();
  const at = since - now < TICK ? Math.max(now, since) : now; // just written: our "now" is up to a tick old
  return (
    <time dateTime={when} title={exact(when)} className={className} style={{ fontVariantNumeric: "tabular-nums" }}>
      {relative(when, at)}
    </time>
  );
}
