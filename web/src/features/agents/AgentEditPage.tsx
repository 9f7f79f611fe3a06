/** Making an agent and changing one: the same form. What it is filled with is fixed when it opens, not when others save. */
import { useParams } from "@tanstack/react-router";
import { useState } from "react";

import { useAgent, useAgentTools, type Agent, type AgentTool } from "@/api/agents";
import { useMe } from "@/api/me";
import { isAdmin } from "@/lib/roles";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorState } from "@/ui/ErrorState";
import { LinkAnchor } from "@/ui/links";
import { ListSkeleton } from "@/ui/ListSkeleton";
import { PageHeader } from "@/ui/PageHeader";

import { AgentForm } from "./AgentForm";
import classes from "./AgentForm.module.css";

export default function AgentEditPage() {
  const { agentId = "" } = useParams({ strict: false });
  const me = useMe();
  const agent = useAgent(agentId);
  const tools = useAgentTools(agentId);
  const [opened, setOpened] = useState<{ id: string; agent: Agent; tools: AgentTool[] } | null>(null);
  const settled = !agent.isFetching && !tools.isFetching;
  if (settled && agent.data && tools.data && opened?.id !== agentId)
    setOpened({ id: agentId, agent: agent.data, tools: tools.data });
  if (me.data && !isAdmin(me.data)) return <NoRights agentId={agentId} />;
  if (!agentId) return <AgentForm key="new" agent={null} tools={[]} />;
  if (opened?.id === agentId) return <AgentForm key={agentId} agent={agent.data ?? opened.agent} tools={opened.tools} />;
  const failed = agent.isError ? agent : tools.isError ? tools : null;
  return (
    <div className={classes.main}>
      <PageHeader title="Edit agent" />
      <div className={classes.scroll}>
        {failed ? (
          <ErrorState error={failed.error} what="the agent" retry={() => void Promise.all([agent.refetch(), tools.refetch()])} />
        ) : (
          <ListSkeleton rows={8} height={56} label="Loading the agent" />
        )}
      </div>
    </div>
  );
}

function NoRights({ agentId }: { agentId: string }) {
  const back = agentId ? (
    <LinkAnchor to="/agents/$agentId" params={{ agentId }}>
      See the agent
    </LinkAnchor>
  ) : (
    <LinkAnchor to="/agents">
      See the agents
    </LinkAnchor>
  );
  return (
    <div className={classes.main}>
      <PageHeader title={agentId ? "Edit agent" : "New agent"} />
      <EmptyState title="Agents are changed by admins." action={back}>
        You can read everything about them and talk with them.
      </EmptyState>
    </div>
  );
}
