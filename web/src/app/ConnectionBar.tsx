import { IconCloudOff, IconRefresh } from "@tabler/icons-react";
import { useEffect, useState } from "react";

import { type Connection, useConnection } from "@/api/live";

import classes from "./ConnectionBar.module.css";

const PATIENCE: Partial<Record<Connection, number>> = { waiting: 1_500, offline: 300, connecting: 6_000 };

/** Says when the live connection is not well, and nothing when it is. */
export function ConnectionBar() {
  const connection = useConnection();
  const shown = useAfter(connection, PATIENCE[connection]);
  if (!shown) return null;
  const Icon = connection === "offline" ? IconCloudOff : IconRefresh;
  return (
    <div className={classes.bar} role="status">
      <Icon size={16} stroke={1.5} aria-hidden />
      {connection === "offline"
        ? "You're offline. Retinue goes on by itself when the network is back."
        : "Reconnecting. What you see may be a little old."}
    </div>
  );
}

/** Whether `value` has been what it is for this many milliseconds; never without a time. */
function useAfter(value: Connection, patience: number | undefined): boolean {
  const [late, setLate] = useState<Connection | null>(null);
  useEffect(() => {
    if (patience === undefined) return;
    const timer = setTimeout(() => setLate(value), patience);
    return () => clearTimeout(timer);
  }, [value, patience]);
  return patience !== undefined && late === value;
}
