import { Button } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";

import { useChannelMembers, type Channel, type ChannelMember } from "@/api/channels";
import { useTeams } from "@/api/teams";
import { isByBelonging } from "@/lib/channels";
import { ErrorState } from "@/ui/ErrorState";
import { ListSkeleton } from "@/ui/ListSkeleton";

import { AddMember } from "./AddMember";
import { AgentRow } from "./AgentRow";
import classes from "./ChannelDetails.module.css";
import { PersonRow } from "./PersonRow";
import { Section } from "./Settings";

interface Props {
  channel: Channel;
  may: boolean;
}

/** The agents and people of the channel, with what each may do here. */
export function Members({ channel, may }: Props) {
  const members = useChannelMembers(channel.id);
  const [adding, setAdding] = useState(false);
  if (members.error && !members.data) {
    return <ErrorState error={members.error} what="the members" retry={() => void members.refetch()} />;
  }
  if (!members.data) return <ListSkeleton rows={6} avatar label="Loading members" />;
  const open = may && !channel.archived_at;
  const agents = members.data.filter((one) => one.kind === "agent").sort(byName);
  const people = members.data.filter((one) => one.kind === "user").sort(byName);
  return (
    <div className={classes.sections}>
      {open &&
        (adding ? (
          <AddMember channel={channel} members={members.data} onDone={() => setAdding(false)} />
        ) : (
          <Button variant="default" leftSection={<IconPlus size={16} stroke={1.5} />} onClick={() => setAdding(true)}>
            {isByBelonging(channel.kind) ? "Add agents" : "Add people or agents"}
          </Button>
        ))}
      <Section title={`Agents (${agents.length})`}>
        {agents.length === 0 && <p className={classes.facts}>People only, so far.</p>}
        <ul className={classes.list}>
          {agents.map((one) => (
            <AgentRow key={one.agent_id} channel={channel} member={one} may={open} />
          ))}
        </ul>
      </Section>
      <Section title={`People (${people.length})`}>
        <Belonging channel={channel} />
        <ul className={classes.list}>
          {people.map((one) => (
            <PersonRow key={one.user_id} channel={channel} member={one} may={open} />
          ))}
        </ul>
      </Section>
      {!may && <p className={classes.facts}>Owners of the channel and admins can add and remove members.</p>}
    </div>
  );
}

/** Why people are here whom nobody has added. */
function Belonging({ channel }: { channel: Channel }) {
  const team = useTeams().data?.find((one) => one.id === channel.team_id)?.name;
  if (!isByBelonging(channel.kind)) return null;
  const where = channel.kind === "organisation" ? "the organisation" : team ? `the team ${team}` : "the team";
  return <p className={classes.facts}>Everyone in {where} is here.</p>;
}

function byName(a: ChannelMember, b: ChannelMember): number {
  return a.name.localeCompare(b.name);
}
