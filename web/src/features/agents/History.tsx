/** Every configuration the agent has had, and what changed from one to the next. */
import { UnstyledButton } from "@mantine/core";
import { IconChevronDown, IconChevronRight } from "@tabler/icons-react";
import { useState } from "react";

import { useSnapshotChanges, useSnapshots, type Agent, type Difference, type Snapshot } from "@/api/agents";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorState } from "@/ui/ErrorState";
import { ListSkeleton } from "@/ui/ListSkeleton";
import { TimeAgo } from "@/ui/TimeAgo";

import classes from "./AgentPage.module.css";
import { shownValue } from "./values";
import { pathWords } from "./words";

export function History({ agent }: { agent: Agent }) {
  const snapshots = useSnapshots(agent.id);
  if (snapshots.isError && !snapshots.data)
    return <ErrorState error={snapshots.error} what="the history" retry={() => void snapshots.refetch()} />;
  if (!snapshots.data) return <ListSkeleton rows={4} height={44} label="Loading the history" />;
  const versions = snapshots.data.data;
  if (versions.length === 0) return <EmptyState title="As it was made: nothing has changed." />;
  return (
    <div className={classes.versions}>
      <p className={classes.dim}>Each turn keeps to the configuration it began with. The newest is used by the next turn.</p>
      <ol className={classes.list} aria-label="Configurations, newest first">
        {versions.map((version, at) => (
          <Version
            key={version.hash}
            agent={agent}
            version={version}
            before={versions[at + 1] ?? null}
            first={at === versions.length - 1 && !snapshots.data.next}
            open={at === 0 && versions.length > 1}
          />
        ))}
      </ol>
      {snapshots.data.next && <p className={classes.dim}>Older configurations are in the API.</p>}
    </div>
  );
}

interface VersionProps {
  agent: Agent;
  version: Snapshot;
  before: Snapshot | null;
  first: boolean;
  open: boolean;
}

function Version({ agent, version, before, first, open: begin }: VersionProps) {
  const [open, setOpen] = useState(begin);
  const current = version.hash === agent.config_hash;
  const Chevron = open ? IconChevronDown : IconChevronRight;
  return (
    <li>
      <UnstyledButton className={classes.versionHead} aria-expanded={open} onClick={() => setOpen(!open)} disabled={!before}>
        {before ? <Chevron size={16} stroke={1.5} aria-hidden /> : <span style={{ width: 16 }} />}
        <span className={classes.grow}>{current ? "In use now" : first ? "As it was made" : "Earlier"}</span>
        <span className={classes.hash}>{version.hash.slice(0, 8)}</span>
        <TimeAgo when={version.created_at} className={classes.meta} />
      </UnstyledButton>
      {open && before && <Changes agentId={agent.id} hash={version.hash} since={before.hash} />}
    </li>
  );
}

function Changes({ agentId, hash, since }: { agentId: string; hash: string; since: string }) {
  const changes = useSnapshotChanges(agentId, hash, since);
  if (changes.isError) return <ErrorState inline error={changes.error} what="the changes" retry={() => void changes.refetch()} />;
  if (!changes.data) return <ListSkeleton rows={2} label="Loading the changes" />;
  if (changes.data.length === 0) return <p className={classes.changes}>Nothing that a turn would notice.</p>;
  return (
    <div className={classes.changes}>
      {changes.data.map((change) => (
        <Change key={change.path} change={change} />
      ))}
    </div>
  );
}

function Change({ change }: { change: Difference }) {
  return (
    <div className={classes.change}>
      <div className={classes.pathName}>{pathWords(change.path)}</div>
      <div className={classes.values}>
        <div>
          <div className={classes.valueLabel}>Before</div>
          <pre className={classes.value} data-side="before" tabIndex={0} aria-label="Before">
            {shownValue(change.before)}
          </pre>
        </div>
        <div>
          <div className={classes.valueLabel}>After</div>
          <pre className={classes.value} data-side="after" tabIndex={0} aria-label="After">
            {shownValue(change.after)}
          </pre>
        </div>
      </div>
    </div>
  );
}
