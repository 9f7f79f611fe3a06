import type { ReactNode } from "react";

import { useForecast } from "@/api/usage";
import { plural } from "@/lib/format";
import { money } from "@/lib/money";
import { calendarDay } from "@/lib/time";
import { ErrorState } from "@/ui/ErrorState";
import { ListSkeleton } from "@/ui/ListSkeleton";

import { later, type UsageSearch } from "./filters";
import classes from "./UsagePage.module.css";

/** What was spent this month, and what will have been at its end. */
export function Summary({ search: { agent_id, user_id } }: { search: UsageSearch }) {
  const asked = useForecast({ ...(agent_id ? { agent_id } : {}), ...(user_id ? { user_id } : {}) });
  return (
    <section className={classes.summary} aria-label="This month">
      <h2 className={classes.heading}>This month</h2>
      {asked.data ? (
        <Words {...asked.data} />
      ) : asked.isError ? (
        <ErrorState inline error={asked.error} retry={() => void asked.refetch()} what="this month" />
      ) : (
        <ListSkeleton rows={2} label="Loading this month" />
      )}
    </section>
  );
}

type Forecast = NonNullable<ReturnType<typeof useForecast>["data"]>;

function Words({ spent, forecast, ends_at, unpriced }: Forecast): ReactNode {
  const last = calendarDay(new Date(`${later(ends_at.slice(0, 10), -1)}T00:00:00Z`));
  return (
    <>
      <p className={classes.figure}>
        <span className={classes.big}>
          {unpriced > 0 ? "≥ " : ""}
          {money(spent)}
        </span>
        <span className={classes.dim}>
          {spent.amount_micro === 0 ? "spent so far" : forecast ? `spent; at this pace ${money(forecast)} by ${last}` : "spent"}
        </span>
      </p>
      {unpriced > 0 ? (
        <p className={classes.dim}>
          {plural(unpriced, "call has", "calls have")} no known price: what {unpriced === 1 ? "it" : "they"} cost is in none of these sums.
        </p>
      ) : null}
    </>
  );
}
