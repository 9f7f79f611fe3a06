/** One agent: what it is, where it is active, what it did and cost, and how it has been changed. */
import { ActionIcon, Button, Menu, Tabs } from "@mantine/core";
import { IconDots, IconMessage, IconPencil } from "@tabler/icons-react";
import { useNavigate, useParams } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";

import { useAgent, useOpenDirect, useUpdateAgent, type Agent } from "@/api/agents";
import { useMe } from "@/api/me";
import { useAssignments } from "@/api/registry";
import { isAdmin } from "@/lib/roles";
import { Avatar } from "@/ui/Avatar";
import { ErrorState } from "@/ui/ErrorState";
import { LinkButton } from "@/ui/links";
import { ListSkeleton } from "@/ui/ListSkeleton";
import { notifyDone, notifyError } from "@/ui/notify";
import { PageHeader } from "@/ui/PageHeader";
import { StateDot } from "@/ui/StateDot";

import classes from "./AgentPage.module.css";
import { ForYou } from "./ForYou";
import { History } from "./History";
import { Overview } from "./Overview";
import { stateOf } from "./words";

const Access = lazy(() => import("./Access").then((module) => ({ default: module.Access })));

export default function AgentPage() {
  const { agentId = "" } = useParams({ strict: false });
  const agent = useAgent(agentId);
  if (agent.data) return <Loaded key={agentId} agent={agent.data} />;
  return (
    <div className={classes.page}>
      <PageHeader title="Agent" />
      <div className={classes.scroll}>
        {agent.isError ? (
          <ErrorState error={agent.error} what="the agent" retry={() => void agent.refetch()} />
        ) : (
          <ListSkeleton rows={8} label="Loading the agent" />
        )}
      </div>
    </div>
  );
}

function Loaded({ agent }: { agent: Agent }) {
  const me = useMe();
  const admin = isAdmin(me.data);
  const leads = useAssignments(agent.id, me.data !== undefined && !admin).data ?? []; // of the teams that one leads
  const access = admin || leads.length > 0;
  const [tab, setTab] = useState<string | null>("overview");
  const [seen, setSeen] = useState(false); // what is written there stays while one looks at another tab
  function show(next: string | null): void {
    setTab(next);
    if (next === "you") setSeen(true);
  }
  return (
    <div className={classes.page}>
      <PageHeader
        before={<Avatar kind="agent" name={agent.name} accent={agent.accent_colour} image={agent.avatar} size={28} />}
        title={agent.name}
        note={
          <>
            @{agent.slug} · <StateDot {...stateOf(agent.status, false)} />
          </>
        }
      >
        <Chat agent={agent} />
        {admin && (
          <LinkButton
            variant="default"
            to="/agents/$agentId/edit"
            params={{ agentId: agent.id }}
            leftSection={<IconPencil size={16} stroke={1.5} />}
            visibleFrom="sm"
          >
            Edit
          </LinkButton>
        )}
        {admin && <More agent={agent} />}
      </PageHeader>
      <Tabs value={tab} onChange={show} keepMounted={false} className={classes.page}>
        <Tabs.List className={classes.tabs}>
          <Tabs.Tab value="overview">Overview</Tabs.Tab>
          <Tabs.Tab value="you">For you</Tabs.Tab>
          {access && <Tabs.Tab value="access">Access</Tabs.Tab>}
          {admin && <Tabs.Tab value="history">History</Tabs.Tab>}
        </Tabs.List>
        <Tabs.Panel value="overview" className={classes.scroll}>
          <Overview agent={agent} />
        </Tabs.Panel>
        <Tabs.Panel value="you" keepMounted className={classes.scroll}>
          {seen && <ForYou agent={agent} />}
        </Tabs.Panel>
        {access && (
          <Tabs.Panel value="access" className={classes.scroll}>
            <Suspense fallback={<ListSkeleton rows={6} label="Loading who can use it" />}>
              <Access agent={agent} />
            </Suspense>
          </Tabs.Panel>
        )}
        {admin && (
          <Tabs.Panel value="history" className={classes.scroll}>
            <History agent={agent} />
          </Tabs.Panel>
        )}
      </Tabs>
    </div>
  );
}

function Chat({ agent }: { agent: Agent }) {
  const navigate = useNavigate();
  const direct = useOpenDirect();
  function open(): void {
    direct.mutate(agent.id, {
      onSuccess: (channel) => void navigate({ to: "/channels/$channelId", params: { channelId: channel.id } }),
      onError: (error) => notifyError(error, `Couldn't open the chat with ${agent.name}`),
    });
  }
  return (
    <Button leftSection={<IconMessage size={16} stroke={1.5} />} loading={direct.isPending} onClick={open}>
      Chat
    </Button>
  );
}

function More({ agent }: { agent: Agent }) {
  const navigate = useNavigate();
  const update = useUpdateAgent(agent.id);
  const enabled = agent.status === "enabled";
  function set(): void {
    update.mutate(
      { change: { status: enabled ? "paused" : "enabled" } },
      {
        onSuccess: () => notifyDone(`${agent.name} ${enabled ? "is paused" : "works again"}.`),
        onError: (error) => notifyError(error, `Couldn't change ${agent.name}`),
      },
    );
  }
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon aria-label={`More about ${agent.name}`}>
          <IconDots size={18} stroke={1.5} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item hiddenFrom="sm" onClick={() => void navigate({ to: "/agents/$agentId/edit", params: { agentId: agent.id } })}>
          Edit
        </Menu.Item>
        <Menu.Item onClick={set}>{enabled ? "Pause" : "Resume"}</Menu.Item>
        <Menu.Item onClick={() => void navigator.clipboard.writeText(agent.id)}>Copy id</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
