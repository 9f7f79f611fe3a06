/** What the policy has said, newest first, and what changed each time; any of it can be brought back. */
import { Button } from "@mantine/core";

import { usePolicyVersions, useRestorePolicy, type Policy, type PolicyVersion } from "@/api/policies";
import { ApiError } from "@/api/client";
import { ErrorState } from "@/ui/ErrorState";
import { ListSkeleton } from "@/ui/ListSkeleton";
import { notifyDone, notifyError } from "@/ui/notify";
import { Panel } from "@/ui/Panel";
import { TimeAgo } from "@/ui/TimeAgo";

import { changes, pathWords, valueWords } from "./history";
import classes from "./PolicyForm.module.css";
import { useNames } from "./useNames";
import type { Names } from "./words";

interface Props {
  policy: Pick<Policy, "id" | "version">;
  onClose: () => void;
  onRestored: (policy: Policy) => void;
}

export function HistoryPanel({ policy, onClose, onRestored }: Props) {
  return (
    <Panel title="History" onClose={onClose}>
      <Versions policy={policy} onRestored={onRestored} />
    </Panel>
  );
}

export function Versions({ policy, onRestored }: Omit<Props, "onClose">) {
  const versions = usePolicyVersions(policy.id, true);
  const names = useNames();
  if (versions.isError && !versions.data) {
    return <ErrorState error={versions.error} retry={() => void versions.refetch()} what="the history" />;
  }
  if (!versions.data) return <ListSkeleton rows={4} height={56} label="Loading the history" />;
  return (
    <ol className={classes.versions} aria-label="Versions, newest first">
      {versions.data.map((version, at) => (
        <Version key={version.version} version={version} before={versions.data[at + 1] ?? null} newest={at === 0} names={names} onRestored={onRestored} />
      ))}
    </ol>
  ); // prettier-ignore
}

interface VersionProps {
  version: PolicyVersion;
  before: PolicyVersion | null;
  newest: boolean;
  names: Names;
  onRestored: (policy: Policy) => void;
}

function Version({ version, before, newest, names, onRestored }: VersionProps) {
  const restore = useRestorePolicy();
  const { policy_id: id, version: number, deleted } = version;
  function onRestore(): void {
    restore.mutate(
      { id, version: number },
      {
        onSuccess: (policy) => {
          notifyDone(`“${policy.name}” says again what it said in version ${number}.`);
          onRestored(policy);
        },
        onError: (error) => {
          const loosens = error instanceof ApiError && error.code === "loosens";
          notifyError(error, loosens ? "Not restored: a policy above gives less" : "Couldn't restore this version");
        },
      },
    );
  }
  const who = names.person(version.changed_by ?? "") ?? (version.changed_by ? "Somebody who is gone" : "Retinue");
  return (
    <li>
      <div className={classes.versionHead}>
        <div className={classes.versionName}>
          Version {number}
          {newest && !deleted ? ", the present one" : ""}
        </div>
        {newest || deleted ? null : (
          <Button size="compact-sm" variant="default" loading={restore.isPending} aria-label={`Restore version ${number}`} onClick={onRestore}>
            Restore
          </Button>
        )}
      </div>
      <div className={classes.dim}>
        {deleted ? "Removed" : before === null || before.deleted ? (before ? "Brought back" : "Made") : "Changed"} by {who}{" "}
        <TimeAgo when={version.changed_at} />
      </div>
      {before && !deleted ? <Changes before={before} after={version} names={names} /> : null}
    </li>
  );
}

function Changes({ before, after, names }: { before: PolicyVersion; after: PolicyVersion; names: Names }) {
  const name = (id: string) => (id.startsWith("agt_") ? names.agent(id) : id.startsWith("ch_") ? names.channel(id) : names.person(id));
  const found = changes(before, after);
  if (found.length === 0) return null;
  return (
    <dl className={classes.changes}>
      {found.map((one) => (
        <div key={one.path}>
          <dt>{pathWords(one.path)}</dt>
          <dd className={classes.was}>{valueWords(one.path, one.before, name)}</dd>
          <dd>{valueWords(one.path, one.after, name)}</dd>
        </div>
      ))}
    </dl>
  );
}
