import { useEffect, useState } from "react";

/** The present, anew every `every` ms while `on`; still otherwise. */
export function useTicking(on: boolean, every = 1000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!on) return;
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [on, every]);
  return now;
}
