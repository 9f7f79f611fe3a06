import { useEffect, useState } from "react";

import { between, duration } from "@/lib/time";

interface Props {
  /** RFC 3339. */
  start: string;
  /** Empty while it goes on: it then counts up. */
  end?: string | null;
  className?: string;
}

/** How long something took, or has taken so far. */
export function Duration({ start, end, className }: Props) {
  const now = useTicking(!end);
  return (
    <span className={className} style={{ fontVariantNumeric: "tabular-nums" }}>
      {duration(between(start, end, now))}
    </span>
  );
}

function useTicking(on: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!on) return;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [on]);
  return now;
}
