import { Kbd, UnstyledButton } from "@mantine/core";
import { IconActivity, IconChecklist, IconHash, IconLock, IconPlus, IconSearch, IconSettings, IconUserSquareRounded, IconUsers, IconWorld } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useId } from "react";

import { useAgentOverview, useAgents } from "@/api/agents";
import { useToDecide } from "@/api/approvals";
import { type Channel, useChannels } from "@/api/channels";
import { useIsAdmin, useMe } from "@/api/me";
import { ErrorState } from "@/ui/ErrorState";
import { ListSkeleton } from "@/ui/ListSkeleton";

import { AgentRow } from "./AgentRow";
import classes from "./Sidebar.module.css";
import { arrange } from "./sidebarRows";
import { UserMenu } from "./UserMenu";

interface Props {
  onSearch: () => void;
  onHelp: () => void;
}

const KINDS = { organisation: IconWorld, team: IconUsers, group: IconHash, private: IconLock };

/** Agents, channels, then places. */
export function Sidebar({ onSearch, onHelp }: Props) {
  return (
    <nav className={classes.sidebar} aria-label="Main">
      <Head onSearch={onSearch} />
      <div className={classes.lists}>
        <Lists />
      </div>
      <Places />
      <UserMenu onHelp={onHelp} />
    </nav>
  );
}

function Head({ onSearch }: { onSearch: () => void }) {
  const account = useMe().data?.account.name;
  return (
    <div className={classes.head}>
      <span className={classes.account} title={account}>
        {account}
      </span>
      <UnstyledButton className={classes.search} onClick={onSearch}>
        <IconSearch size={16} stroke={1.5} aria-hidden />
        <span>Search or go to</span>
        <Kbd size="xs" aria-hidden>
          {/Mac/.test(navigator.userAgent) ? "⌘K" : "Ctrl K"}
        </Kbd>
      </UnstyledButton>
    </div>
  );
}

function Lists() {
  const agents = useAgents();
  const channels = useChannels();
  const overview = useAgentOverview().data;
  const admin = useIsAdmin();
  const failed = agents.isError ? agents : channels.isError ? channels : null;
  if (failed && (!agents.data || !channels.data)) {
    return <ErrorState error={failed.error} retry={() => void failed.refetch()} what="the sidebar" inline />;
  }
  if (!agents.data || !channels.data) return <ListSkeleton rows={8} label="Loading agents and channels" />;
  const rows = arrange(agents.data, channels.data);
  return (
    <>
      <Section title={<Link to="/agents">Agents</Link>} add={admin && <NewAgent />}>
        {rows.agents.map(({ agent, direct }) => (
          <AgentRow key={agent.id} agent={agent} direct={direct} working={overview?.get(agent.id)?.working === true} />
        ))}
      </Section>
      <Section title={<Link to="/channels">Channels</Link>} add={<NewChannel />}>
        {rows.channels.map((channel) => (
          <ChannelRow key={channel.id} channel={channel} />
        ))}
        {rows.channels.length === 0 && <li className={classes.none}>None yet.</li>}
      </Section>
    </>
  );
}

function Section({ title, add, children }: { title: ReactNode; add?: ReactNode; children: ReactNode }) {
  const id = useId();
  return (
    <div className={classes.section}>
      <div className={classes.sectionHead}>
        <span id={id}>{title}</span>
        {add}
      </div>
      <ul className={classes.list} aria-labelledby={id}>
        {children}
      </ul>
    </div>
  );
}

function NewAgent() {
  return (
    <Link to="/agents/new" className={classes.add} aria-label="New agent" data-tip="New agent">
      <IconPlus size={16} stroke={1.5} aria-hidden />
    </Link>
  );
}

function NewChannel() {
  return (
    <Link to="/channels" search={{ new: true }} className={classes.add} aria-label="New channel" data-tip="New channel">
      <IconPlus size={16} stroke={1.5} aria-hidden />
    </Link>
  );
}

function ChannelRow({ channel }: { channel: Channel }) {
  const Icon = KINDS[channel.kind];
  const { unread, mentions_unread: mentions } = channel;
  return (
    <li>
      <Link
        to="/channels/$channelId"
        params={{ channelId: channel.id }}
        className={classes.row}
        activeProps={{ "aria-current": "page" }}
        activeOptions={{ includeSearch: false }}
        data-unread={unread > 0 || undefined}
      >
        <Icon className={classes.icon} size={16} stroke={1.5} aria-hidden />
        <span className={classes.name}>{channel.name}</span>
        <Unread unread={unread} mentions={mentions} />
      </Link>
    </li>
  );
}

/** Only mentions get a number; what is merely new is set in bold, and said. */
export function Unread({ unread, mentions }: { unread: number; mentions: number }) {
  if (mentions > 0) {
    return (
      <span className={classes.count}>
        {mentions > 99 ? "99+" : mentions}
        <span className={classes.hidden}> mentions</span>
      </span>
    );
  }
  return unread > 0 ? <span className={classes.hidden}>, unread</span> : null;
}

const PLACES = [
  { to: "/activity", label: "Activity", icon: IconActivity },
  { to: "/agents", label: "Agents", icon: IconUserSquareRounded },
] as const;

/** What waits for one's word is counted, and nothing is said where nothing does. */
function Approvals() {
  const waiting = useToDecide().data?.length ?? 0;
  return (
    <li>
      <Link to="/approvals" className={classes.row} activeProps={{ "aria-current": "page" }} activeOptions={{ includeSearch: false }}>
        <IconChecklist className={classes.icon} size={18} stroke={1.5} aria-hidden />
        <span className={classes.name}>Approvals</span>
        {waiting > 0 && (
          <span className={classes.count}>
            {waiting > 99 ? "99+" : waiting}
            <span className={classes.hidden}> for you</span>
          </span>
        )}
      </Link>
    </li>
  );
}

function Places() {
  return (
    <ul className={classes.places} aria-label="Places">
      <Approvals />
      {PLACES.map(({ to, label, icon: Icon }) => (
        <li key={to}>
          <Link to={to} className={classes.row} activeProps={{ "aria-current": "page" }} activeOptions={{ includeSearch: false }}>
            <Icon className={classes.icon} size={18} stroke={1.5} aria-hidden />
            <span className={classes.name}>{label}</span>
          </Link>
        </li>
      ))}
      <li>
        <Link to="/settings/$section" params={{ section: "profile" }} className={classes.row}>
          <IconSettings className={classes.icon} size={18} stroke={1.5} aria-hidden />
          <span className={classes.name}>Settings</span>
        </Link>
      </li>
    </ul>
  );
}
