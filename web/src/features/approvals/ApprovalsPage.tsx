/** What waits for one's word, what one asked for, and which approvals stand for later calls. */
import { Button, Tabs } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useRef, useState } from "react";

import { useApprovals, useToDecide, type Approval } from "@/api/approvals";
import { useMe } from "@/api/me";
import { byDue, wanted } from "@/lib/approvals";
import { plural } from "@/lib/format";
import ApprovalCard from "@/ui/approval/ApprovalCard";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorState } from "@/ui/ErrorState";
import { ListSkeleton } from "@/ui/ListSkeleton";
import { PageHeader } from "@/ui/PageHeader";

import classes from "./ApprovalsPage.module.css";
import { Standing } from "./Standing";
import { useListKeys } from "./useListKeys";

export type Tab = "mine" | "asked" | "standing";

export default function ApprovalsPage() {
  const { tab } = useSearch({ strict: false });
  const shown: Tab = tab === "asked" || tab === "standing" ? tab : "mine";
  const navigate = useNavigate();
  const show = (next: string | null) =>
    void navigate({ to: "/approvals", search: next === "asked" || next === "standing" ? { tab: next } : {}, replace: true });
  const waiting = useToDecide().data?.length ?? 0;
  return (
    <div className={classes.page}>
      <PageHeader title="Approvals" note="Calls of agents that a person decides about" />
      <Tabs value={shown} onChange={show} keepMounted={false} className={classes.page}>
        <Tabs.List className={classes.tabs}>
          <Tabs.Tab value="mine">For you{waiting > 0 ? ` (${waiting})` : ""}</Tabs.Tab>
          <Tabs.Tab value="asked">You asked</Tabs.Tab>
          <Tabs.Tab value="standing">Standing</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="mine" className={classes.scroll}>
          <Mine />
        </Tabs.Panel>
        <Tabs.Panel value="asked" className={classes.scroll}>
          <Asked />
        </Tabs.Panel>
        <Tabs.Panel value="standing" className={classes.scroll}>
          <Standing />
        </Tabs.Panel>
      </Tabs>
    </div>
  );
}

/** What is due first stands first; what one has decided stays where it was, as what came of it, until one leaves. */
function Mine() {
  const query = useToDecide();
  const kept = useKept(query.data);
  if (!kept) return <Without query={query} what="what waits for you" />;
  const open = query.data?.length ?? 0;
  return (
    <>
      {query.isError && <ErrorState inline error={query.error} retry={() => void query.refetch()} what="what is new" />}
      {open === 0 && (
        <EmptyState title="All caught up.">
          {kept.length > 0 ? "Nothing else waits for you." : "When an agent needs your word, it waits here and in its conversation."}
        </EmptyState>
      )}
      <Cards list={kept} label="Calls that wait for you" />
    </>
  );
}

/** Everything that was here since the page was opened, so that nothing vanishes under whoever reads it. */
function useKept(found: readonly Approval[] | undefined): readonly Approval[] | undefined {
  const [kept, setKept] = useState<readonly Approval[]>([]);
  const fresh = (found ?? []).filter((one) => !kept.some(({ id }) => id === one.id));
  if (fresh.length > 0) setKept([...kept, ...byDue(fresh)]);
  return found && kept;
}

function Asked() {
  const me = useMe().data?.user.id;
  const query = useApprovals({ mine: "asked" });
  if (!query.data) return <Without query={query} what="what you asked for" />;
  const list = [...query.data].sort((one, other) => Number(other.state === "open") - Number(one.state === "open"));
  if (list.length === 0) {
    return <EmptyState title="Nothing of yours needed approval yet.">What agents do for you and others approve stands here.</EmptyState>;
  }
  return <Cards key={me} list={list} label="What you asked for" />;
}

const AT_ONCE = 20;

function Cards({ list, label }: { list: readonly Approval[]; label: string }) {
  const [most, setMost] = useState(AT_ONCE);
  const box = useRef<HTMLUListElement>(null);
  useListKeys(box);
  const rest = list.length - most;
  return (
    <>
      <ul ref={box} className={classes.cards} aria-label={label}>
        {list.slice(0, most).map((one) => (
          <li key={one.id}>
            <ApprovalCard id={one.id} words={`${wanted(one)}.`} placed />
          </li>
        ))}
      </ul>
      {rest > 0 && (
        <Button variant="default" onClick={() => setMost(most + AT_ONCE)}>
          Show {plural(Math.min(rest, AT_ONCE), "more", "more")}
        </Button>
      )}
    </>
  );
}

interface Query {
  isError: boolean;
  error: unknown;
  refetch: () => unknown;
}

function Without({ query, what }: { query: Query; what: string }) {
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} what={what} />;
  return <ListSkeleton rows={4} height={72} label={`Loading ${what}`} />;
}
