/** The limits of cost, each with what is used up of it, in words and as a quiet bar. */
import { Button } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { useBudgets, type Budget } from "@/api/budgets";
import { useTeams } from "@/api/teams";
import { count } from "@/lib/format";
import { money } from "@/lib/money";
import { day } from "@/lib/time";
import { ErrorState } from "@/ui/ErrorState";
import { LinkButton } from "@/ui/links";
import { ListSkeleton } from "@/ui/ListSkeleton";
import { StateDot } from "@/ui/StateDot";

import { isOfTurns, paceWords, parts, potsOf, standing, usedWords, type Pot } from "./budgetWords";
import classes from "./Budgets.module.css";
import type { UsageSearch } from "./filters";

interface Props {
  search: UsageSearch;
  /** The policy whose form is open. */
  open: string | null;
}

export function Budgets({ search, open }: Props) {
  const budgets = useBudgets();
  const teams = useTeams().data;
  return (
    <section className={classes.budgets} aria-label="Budgets">
      <div className={classes.head}>
        <h2 className={classes.heading}>Budgets</h2>
        <LinkButton to="/usage" search={{ ...search, budget: "new" }} size="xs" variant="default" leftSection={<IconPlus size={14} stroke={1.5} />}>
          New budget
        </LinkButton>
      </div>
      {budgets.data ? (
        <List pots={potsOf(budgets.data, teams)} search={search} open={open} />
      ) : budgets.isError ? (
        <ErrorState inline error={budgets.error} retry={() => void budgets.refetch()} what="the budgets" />
      ) : (
        <ListSkeleton rows={4} label="Loading budgets" />
      )}
      <Link to="/policies" className={classes.all}>
        All policies
      </Link>
    </section>
  );
}

function List({ pots, search, open }: { pots: readonly Pot[] } & Props) {
  if (pots.length === 0) {
    return <p className={classes.dim}>None yet: nothing stops agents from spending but their own limits. A budget refuses what would cost more.</p>;
  }
  return (
    <ul className={classes.list}>
      {pots.map((pot) => (
        <li key={pot.id}>
          <PotItem pot={pot} search={search} open={open === pot.id} />
        </li>
      ))}
    </ul>
  );
}

const FIRST = 5;

function PotItem({ pot, search, open }: { pot: Pot; search: UsageSearch; open: boolean }) {
  const [all, setAll] = useState(false);
  const shown = all ? pot.budgets : pot.budgets.slice(0, FIRST);
  const [first] = pot.budgets;
  const several = first ? !isSingle(first) : false;
  return (
    <>
      <div className={classes.title}>
        <Link to="/usage" search={{ ...search, budget: pot.id }} className={classes.name} aria-current={open || undefined}>
          {pot.name}
        </Link>
        <span className={classes.dim}>{pot.about}</span>
      </div>
      {shown.map((budget) => (
        <Used key={budget.subject?.id ?? ""} budget={budget} named={several} />
      ))}
      {pot.budgets.length > FIRST && !all ? (
        <Button size="compact-xs" variant="subtle" color="gray" onClick={() => setAll(true)}>
          Show all {count(pot.budgets.length)}
        </Button>
      ) : null}
    </>
  );
}

/** Whether there is but one whose spending is added up, so that its name says nothing new. */
function isSingle({ per, layer }: Budget): boolean {
  return per === "account" || (per === "team" && layer === "team") || (per === "user" && layer === "user");
}

function Used({ budget, named }: { budget: Budget; named: boolean }) {
  if (isOfTurns(budget.per)) return <p className={classes.words}>At most {money(budget.limit)} each.</p>;
  if (named && budget.subject === null) {
    return <p className={classes.words}>At most {money(budget.limit)} each. Nobody has spent anything of it yet.</p>;
  }
  const told = standing(budget);
  return (
    <div className={classes.used}>
      {named ? <div className={classes.subject}>{budget.subject?.name ?? "Gone"}</div> : null}
      <Bar budget={budget} meaning={told?.meaning} />
      <p className={classes.words} title={budget.ends_at ? `A new period begins on ${day(budget.ends_at)}` : undefined}>
        {usedWords(budget)}
        {paceWords(budget)}
        {budget.reserved.amount_micro > 0 ? <span className={classes.dim}>; {money(budget.reserved)} held by calls that run now</span> : null}
      </p>
      {told ? (
        <p className={classes.standing}>
          <StateDot meaning={told.meaning} label={told.words} />
        </p>
      ) : null}
    </div>
  );
}

/** Solid what is spent, hatched what is held; the words beside it say the same. */
function Bar({ budget, meaning }: { budget: Budget; meaning: string | undefined }) {
  const { spent, reserved } = parts(budget);
  return (
    <div className={classes.bar} data-meaning={meaning} aria-hidden>
      <span className={classes.spent} style={{ width: `${spent}%` }} />
      <span className={classes.held} style={{ width: `${reserved}%` }} />
    </div>
  );
}
