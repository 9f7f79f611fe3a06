/** Every agent one can reach, and the catalogue new ones come from. */
import { Button, SegmentedControl, TextInput } from "@mantine/core";
import { IconPlus, IconSearch } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";

import { useAgentOverview, useAgents, type Agent } from "@/api/agents";
import { useMe } from "@/api/me";
import { useUsage } from "@/api/usage";
import { plural } from "@/lib/format";
import { isAdmin } from "@/lib/roles";
import { DataTable } from "@/ui/DataTable";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorState } from "@/ui/ErrorState";
import { LinkButton } from "@/ui/links";
import { ListSkeleton } from "@/ui/ListSkeleton";
import { PageHeader } from "@/ui/PageHeader";

import classes from "./AgentsPage.module.css";
import { CompactAgent, columns } from "./agentColumns";
import { Gallery } from "./Gallery";
import { matching, monthStart, rowsOf, type AgentRow } from "./rows";

type Tab = "yours" | "catalogue";

export default function AgentsPage() {
  const [tab, setTab] = useState<Tab>("yours");
  const me = useMe();
  const agents = useAgents();
  const admin = isAdmin(me.data);
  return (
    <div className={classes.page}>
      <PageHeader title="Agents" note={agents.data && plural(agents.data.length, "agent")}>
        {admin && (
          <LinkButton to="/agents/new" leftSection={<IconPlus size={16} stroke={1.5} />}>
            New agent
          </LinkButton>
        )}
      </PageHeader>
      {admin && (
        <div className={classes.bar}>
          <SegmentedControl
            value={tab}
            onChange={(value) => setTab(value)}
            aria-label="Which agents"
            data={[
              { value: "yours", label: "Your agents" },
              { value: "catalogue", label: "Catalogue" },
            ]}
          />
        </div>
      )}
      {tab === "yours" ? <Yours admin={admin} onCatalogue={() => setTab("catalogue")} /> : <Gallery agents={agents.data ?? []} />}
    </div>
  );
}

function Yours({ admin, onCatalogue }: { admin: boolean; onCatalogue: () => void }) {
  const navigate = useNavigate();
  const [query, setQuery] = useState("");
  const agents = useAgents();
  const overview = useAgentOverview();
  const usage = useUsage({ by: ["agent"], since: monthStart(new Date()) });
  const rows = useMemo(
    () => rowsOf(agents.data ?? [], overview.data, usage.data),
    [agents.data, overview.data, usage.data],
  );
  const shown = matching(rows, query);
  const open = (row: AgentRow) => void navigate({ to: "/agents/$agentId", params: { agentId: row.agent.id } });
  return (
    <>
      {(overview.isError || usage.isError) && (
        <ErrorState
          inline
          error={overview.error ?? usage.error}
          what={overview.isError ? "where agents are active" : "what agents cost"}
          retry={() => void Promise.all([overview.refetch(), usage.refetch()])}
        />
      )}
      <DataTable
        id="agents"
        label="Agents"
        columns={columns}
        rows={shown}
        rowKey={(row) => row.agent.id}
        onOpen={open}
        compact={(row) => <CompactAgent row={row} />}
        toolbar={<Search query={query} onChange={setQuery} />}
        exportName="agents"
      >
        {body({ agents, shown, query, admin, onCatalogue })}
      </DataTable>
    </>
  );
}

function Search({ query, onChange }: { query: string; onChange: (query: string) => void }) {
  return (
    <div className={classes.toolbar}>
      <TextInput
        className={classes.search}
        type="search"
        size="sm"
        aria-label="Search agents"
        placeholder="Search by name, handle or model"
        leftSection={<IconSearch size={16} stroke={1.5} />}
        value={query}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
    </div>
  );
}

interface BodyProps {
  agents: { data: Agent[] | undefined; isError: boolean; error: unknown; refetch: () => unknown };
  shown: readonly AgentRow[];
  query: string;
  admin: boolean;
  onCatalogue: () => void;
}

/** What stands in place of rows; nothing where there are some. */
function body({ agents, shown, query, admin, onCatalogue }: BodyProps) {
  if (agents.isError && !agents.data)
    return <ErrorState error={agents.error} what="the agents" retry={() => void agents.refetch()} />;
  if (!agents.data) return <ListSkeleton rows={6} label="Loading agents" avatar />;
  if (shown.length > 0) return null;
  if (query) return <EmptyState title={`No agent is called “${query.trim()}”.`} />;
  return (
    <EmptyState
      title="Room for your first agent."
      action={
        admin && (
          <Button variant="default" onClick={onCatalogue}>
            See the catalogue
          </Button>
        )
      }
    >
      {admin ? "Install one from the catalogue, or make your own." : "An admin can add agents here."}
    </EmptyState>
  );
}
