import { Skeleton } from "@mantine/core";
import { useEffect, useState } from "react";

import classes from "./ListSkeleton.module.css";

interface Props {
  rows?: number;
  /** Row height in px. */
  height?: number;
  /** What is loading, for screen readers. */
  label?: string;
  avatar?: boolean;
}

const LATE = 200;
const WIDTHS = [62, 48, 74, 55, 40, 68];

/** The shape of a list to come; appears only when loading takes longer than 200 ms. */
export function ListSkeleton({ rows = 6, height = 36, label = "Loading", avatar = false }: Props) {
  const late = useLate();
  if (!late) return <div aria-busy="true" />;
  return (
    <div aria-busy="true" role="status" aria-label={label} className={classes.list}>
      {Array.from({ length: rows }, (_, at) => (
        <div key={at} className={classes.row} style={{ height }}>
          {avatar && <Skeleton circle height={24} width={24} />}
          <Skeleton height={10} width={`${WIDTHS[at % WIDTHS.length] ?? 50}%`} />
        </div>
      ))}
    </div>
  );
}

/** True 200 ms after this is first shown. */
export function useLate(after: number = LATE): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), after);
    return () => clearTimeout(timer);
  }, [after]);
  return late;
}
