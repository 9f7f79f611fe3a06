/** What agents use and what it costs: this month and where it leads, day by day, by whom; and the budgets that bound it. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";

import { useMe } from "@/api/me";
import { isAdmin } from "@/lib/roles";
import { LinkAnchor } from "@/ui/links";
import { ListSkeleton } from "@/ui/ListSkeleton";
import { PageHeader } from "@/ui/PageHeader";

import { BudgetPanel } from "./BudgetPanel";
import { Budgets } from "./Budgets";
import { Breakdown } from "./Breakdown";
import { readSearch, type UsageSearch } from "./filters";
import { Summary } from "./Summary";
import classes from "./UsagePage.module.css";

export default function UsagePage() {
  const me = useMe();
  const raw = useSearch({ strict: false });
  const navigate = useNavigate();
  const [opened] = useState(() => Date.now());
  const search = useMemo(() => readSearch(raw), [raw]);
  const { budget, ...wanted } = search;
  const setSearch = (next: UsageSearch): void => void navigate({ to: "/usage", search: next, replace: true });
  if (!me.data) return <ListSkeleton rows={12} label="Loading usage" />;
  const admin = isAdmin(me.data);
  return (
    <div className={classes.whole}>
      <div className={classes.page}>
        <PageHeader
          title="Usage"
          note={admin ? "What agents use and what it costs" : "What agents use on your behalf, and what it costs"}
        >
          <LinkAnchor to="/activity" className={classes.back}>
            Activity
          </LinkAnchor>
        </PageHeader>
        <div className={classes.scroll}>
          <div className={classes.columns}>
            <Summary search={wanted} />
            <Budgets search={wanted} open={budget ?? null} />
            <Breakdown search={wanted} now={opened} admin={admin} onChange={(next) => setSearch({ ...next, ...(budget ? { budget } : {}) })} />
          </div>
        </div>
      </div>
      {budget ? <BudgetPanel key={budget} id={budget === "new" ? null : budget} onClose={() => setSearch(wanted)} /> : null}
    </div>
  );
}
