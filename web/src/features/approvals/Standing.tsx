import { Button, Switch } from "@mantine/core";
import { useState } from "react";

import { useGrants, useRevokeGrant, type Grant } from "@/api/approvals";
import { useIsAdmin, useMe } from "@/api/me";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorState } from "@/ui/ErrorState";
import { ListSkeleton } from "@/ui/ListSkeleton";
import { notifyError } from "@/ui/notify";
import { TimeAgo } from "@/ui/TimeAgo";

import classes from "./ApprovalsPage.module.css";
import { grantScope, grantTitle } from "./grants";

/** Approvals that stand for later calls. One that is revoked stays in sight for as long as one looks on. */
export function Standing() {
  const [ended, setEnded] = useState(false);
  const grants = useGrants(ended);
  const all = <Switch label="Also those that are over" checked={ended} onChange={(event) => setEnded(event.currentTarget.checked)} />;
  if (!grants.data) {
    if (grants.isError) return <ErrorState error={grants.error} retry={() => void grants.refetch()} what="standing approvals" />;
    return <ListSkeleton rows={4} height={52} label="Loading standing approvals" />;
  }
  return (
    <>
      <p className={classes.help}>Calls that fit one of these are made without asking again, until it ends or is revoked.</p>
      {grants.data.length === 0 ? (
        <EmptyState title="Every call is asked about." action={all}>
          With an approval you can say “also for later calls”; such approvals stand here.
        </EmptyState>
      ) : (
        <>
          <ul className={classes.list} aria-label="Standing approvals">
            {grants.data.map((grant) => (
              <Row key={grant.id} grant={grant} />
            ))}
          </ul>
          <div style={{ marginTop: 16 }}>{all}</div>
        </>
      )}
    </>
  );
}

function Row({ grant }: { grant: Grant }) {
  const me = useMe().data?.user.id;
  const admin = useIsAdmin();
  const [opened] = useState(() => Date.now());
  const revoke = useRevokeGrant();
  const over = grant.revoked_at !== null || Date.parse(grant.expires_at) <= opened;
  const may = !over && (admin || grant.granted_by === me || grant.user_id === me);
  const by = grant.granted_by === me ? "you" : (grant.granted_by_name ?? "somebody");
  return (
    <li>
      <div className={classes.what}>
        {grantTitle(grant)}
        <div className={classes.dim}>{grantScope(grant, me)}</div>
        <div className={classes.dim}>
          Approved by {by} <TimeAgo when={grant.created_at} />
          {grant.revoked_at ? (
            <>, revoked <TimeAgo when={grant.revoked_at} /></>
          ) : (
            <>, {over ? "ended" : "ends"} <TimeAgo when={grant.expires_at} /></>
          )}
        </div>
      </div>
      {may && (
        <Button size="xs" variant="default" loading={revoke.isPending} aria-label={`Revoke: ${grantTitle(grant)}`}
          onClick={() => revoke.mutate(grant.id, { onError: (error) => notifyError(error, "Couldn't revoke it") })}>
          Revoke
        </Button>
      )}
    </li>
  ); // prettier-ignore
}
