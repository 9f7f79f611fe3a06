/** A budget to make or to change, in the panel; what one may only read is read on its policy's page. */
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { useMe } from "@/api/me";
import { useOwnMemberships } from "@/api/members";
import { usePolicy, type Policy } from "@/api/policies";
import { useTeams } from "@/api/teams";
import { isAdmin } from "@/lib/roles";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorState } from "@/ui/ErrorState";
import { ListSkeleton } from "@/ui/ListSkeleton";
import { Panel } from "@/ui/Panel";

import { BudgetForm } from "./BudgetForm";
import { mayEdit, placesOf } from "./budgetForm";
import classes from "./Budgets.module.css";

interface Props {
  /** The policy's id; null for a new one. */
  id: string | null;
  onClose: () => void;
}

export function BudgetPanel({ id, onClose }: Props) {
  const policy = usePolicy(id ?? "");
  return (
    <Panel title={id === null ? "New budget" : (policy.data?.name ?? "Budget")} onClose={onClose}>
      <div className={classes.panel}>
        {id === null ? <Editable policy={null} onClose={onClose} /> : <Known policy={policy} onClose={onClose} />}
      </div>
    </Panel>
  );
}

function Known({ policy, onClose }: { policy: ReturnType<typeof usePolicy>; onClose: () => void }) {
  if (policy.isPending) return <ListSkeleton rows={6} label="Loading the budget" />;
  if (policy.isError) return <ErrorState error={policy.error} retry={() => void policy.refetch()} what="this budget" />;
  return <Editable policy={policy.data} onClose={onClose} onAnew={() => policy.refetch()} />;
}

interface EditableProps {
  policy: Policy | null;
  onClose: () => void;
  onAnew?: () => Promise<unknown>;
}

function Editable({ policy, onClose, onAnew }: EditableProps) {
  const me = useMe().data;
  const teams = useTeams();
  const memberships = useOwnMemberships(me?.user.id ?? null);
  const [round, setRound] = useState(0);
  const failed = teams.isError ? teams : memberships.isError ? memberships : null;
  if (failed) return <ErrorState error={failed.error} retry={() => void failed.refetch()} what="where you may keep budgets" />;
  if (!me || !teams.data || !memberships.data) return <ListSkeleton rows={6} label="Loading the form" />;
  const places = placesOf({ admin: isAdmin(me), teams: teams.data, memberships: memberships.data });
  const editable = policy === null || (policy.rule?.type === "cost_limit" && mayEdit(policy, places));
  return (
    <>
      {editable ? (
        <BudgetForm
          key={round}
          policy={policy}
          places={places}
          zone={me.user.time_zone}
          onClose={onClose}
          onAnew={() => void onAnew?.().then(() => setRound(round + 1))}
        />
      ) : policy.rule?.type === "cost_limit" ? (
        <p className={classes.note}>{whoSets(policy)}</p>
      ) : (
        <EmptyState title="This policy is no budget." action={<Button variant="default" size="xs" onClick={onClose}>Close</Button>} />
      )}
      {policy ? (
        <p className={classes.note}>
          <Link to="/policies/$policyId" params={{ policyId: policy.id }}>
            All of this policy
          </Link>{" "}
          <span className={classes.dim}>where it holds, its history, removing it</span>
        </p>
      ) : null}
    </>
  );
}

function whoSets({ layer }: Policy): string {
  return layer === "team" ? "The team’s leads and admins set this budget." : "Admins set this budget.";
}
