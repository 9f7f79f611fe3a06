import { Link } from "@tanstack/react-router";

import type { Agent } from "@/api/agents";
import type { Channel } from "@/api/channels";
import type { Meaning } from "@/lib/states";
import { Avatar } from "@/ui/Avatar";
import { StateDot } from "@/ui/StateDot";

import { Unread } from "./Sidebar";
import classes from "./Sidebar.module.css";
import { useTalk } from "./useTalk";

interface Props {
  agent: Agent;
  direct: Channel | undefined;
  working: boolean;
}

/** An agent: opens the conversation with it, which is made the first time. */
export function AgentRow({ agent, direct, working }: Props) {
  const [meaning, state] = stateOf(agent, working);
  const inside = (
    <>
      <Avatar name={agent.name} accent={agent.accent_colour} image={agent.avatar} size={20} kind="agent" />
      <span className={classes.name}>{agent.name}</span>
      <Unread unread={direct?.unread ?? 0} mentions={direct?.mentions_unread ?? 0} />
      <StateDot meaning={meaning} label={state} bare />
    </>
  );
  const style = { "--accent": agent.accent_colour } as React.CSSProperties;
  return (
    <li style={style} className={classes.agent}>
      {direct ? (
        <Link
          to="/channels/$channelId"
          params={{ channelId: direct.id }}
          className={classes.row}
          activeProps={{ "aria-current": "page" }}
          activeOptions={{ includeSearch: false }}
          data-unread={direct.unread > 0 || undefined}
        >
          {inside}
        </Link>
      ) : (
        <Opener agent={agent}>{inside}</Opener>
      )}
    </li>
  );
}

function Opener({ agent, children }: { agent: Agent; children: React.ReactNode }) {
  const talk = useTalk();
  return (
    <button type="button" className={classes.row} onClick={() => talk(agent)}>
      {children}
    </button>
  );
}

function stateOf({ status }: Agent, working: boolean): [Meaning, string] {
  if (working) return ["working", "Working"];
  if (status === "paused") return ["aware", "Paused"];
  return status === "deactivated" ? ["dormant", "Off"] : ["well", "Ready"];
}
