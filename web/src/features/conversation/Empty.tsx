import { Button } from "@mantine/core";

import { useChannelMembers, type Channel } from "@/api/channels";
import { useSendMessage } from "@/api/outbox";

import { useConversation } from "./context";
import classes from "./Empty.module.css";

/** Stands before the first message; while older ones load, the shape of one. */
export function Beginning({ channel, older }: { channel: Channel; older: boolean }) {
  if (older) {
    return (
      <p className={classes.beginning} aria-hidden="true">
        Loading what was said before
      </p>
    );
  }
  return <p className={classes.beginning}>This is where {channel.name} begins.</p>;
}

const TRIES = [
  "What time is it in Lisbon and in Tokyo?",
  "Who is in this channel?",
  "What can you do for me here?",
];

/** A channel in which nothing was said yet, with something to try. */
export function NothingYet({ channel }: { channel: Channel }) {
  const members = useChannelMembers(channel.id).data;
  const send = useSendMessage(channel.id);
  const { canWrite } = useConversation();
  const agents = members?.filter((member) => member.agent_id !== null) ?? [];
  const agent = agents.find((one) => one.trigger_mode === "proactive") ?? agents[0];
  const mention = agent && agent.trigger_mode !== "proactive" && agent.slug ? `@${agent.slug} ` : "";
  return (
    <div className={classes.empty}>
      <h2 className={classes.title}>{agent ? `Say hello to ${agent.name}` : `${channel.name} is ready`}</h2>
      <p className={classes.words}>
        {agent
          ? "Everything said here stays here, with every step the agent takes open to look at."
          : "Write the first message. Add an agent from the channel's details when you want one to join in."}
      </p>
      {agent && canWrite && (
        <ul className={classes.tries} aria-label="Things to try">
          {TRIES.map((words) => (
            <li key={words}>
              <Button variant="default" onClick={() => send({ content: mention + words })}>
                {words}
              </Button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
