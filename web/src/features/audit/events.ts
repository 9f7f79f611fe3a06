/** What events of the record are called, and which there are to choose from. A newer server may know more. */
import { label } from "@/lib/format";

interface Group {
  title: string;
  /** All events of a noun: the noun with its dot, and what to call them. */
  all?: readonly [string, string];
  events: Readonly<Record<string, string>>;
}

export const GROUPS: readonly Group[] = [
  {
    title: "Turns",
    all: ["step.", "Any step"],
    events: {
      "step.think": "Model answered",
      "step.respond": "Reply delivered",
      "reply.blocked": "Reply held back",
      "reply.redacted": "Reply redacted",
      "turn.retry": "Turn tried again",
      agent_turn: "Turn ended",
    },
  },
  {
    title: "Questions to people",
    all: ["wait.", "Any question"],
    events: { "wait.open": "Question asked", "wait.resolved": "Question answered" },
  },
  {
    title: "Tools",
    all: ["tool.", "Anything with tools"],
    events: {
      "tool.call": "Tool called",
      "policy.denied": "Tool refused",
      "tool.create": "Tool added",
      "tool.update": "Tool changed",
      "tool.delete": "Tool removed",
    },
  },
  {
    title: "Agents",
    all: ["agent.", "Anything with agents"],
    events: {
      "agent.create": "Agent created",
      "agent.update": "Agent changed",
      "agent.tools": "Agent’s tools changed",
      "agent.tool_attach": "Tool given to agent",
      "agent.tool_detach": "Tool taken from agent",
      "agent.try": "Agent tried out",
      "agent.delete": "Agent removed",
      "user_agent_config.upsert": "Own wishes saved",
      "user_agent_config.delete": "Own wishes removed",
    },
  },
  {
    title: "Channels",
    all: ["channel.", "Anything with channels"],
    events: {
      "channel.create": "Channel created",
      "channel.update": "Channel changed",
      "channel.member_add": "Channel member added",
      "channel.member_remove": "Channel member removed",
      "channel.export": "Channel exported",
      "thread.create": "Thread created",
      "thread.export": "Thread exported",
    },
  },
  {
    title: "Messages",
    all: ["message.", "Anything with messages"],
    events: {
      "message.update": "Message edited",
      "message.delete": "Message deleted",
      "message.restore": "Message brought back",
    },
  },
  {
    title: "People",
    all: ["user.", "Anything with people"],
    events: {
      "user.create": "Person added",
      "user.update": "Person changed",
      "user.delete": "Person removed",
      "user.link": "Identity linked",
      "user.password": "Password set",
      "member.create": "Member added",
      "member.update": "Role changed",
      "member.delete": "Member removed",
    },
  },
  {
    title: "Teams",
    all: ["team.", "Anything with teams"],
    events: { "team.create": "Team created", "team.update": "Team changed", "team.delete": "Team removed" },
  },
  {
    title: "Signing in",
    all: ["session.", "Any session"],
    events: {
      "session.start": "Signed in",
      "session.end": "Signed out",
      "sign_in_link.create": "Sign-in link made",
    },
  },
  {
    title: "Keys and secrets",
    events: {
      "key.create": "API key made",
      "key.revoke": "API key revoked",
      "secret.put": "Secret saved",
      "secret.delete": "Secret removed",
    },
  },
  {
    title: "Account and record",
    events: {
      "account.create": "Account created",
      "account.update": "Account changed",
      "audit.verify": "Record verified",
      "audit.export": "Record exported",
    },
  },
];

const WORDS = new Map(GROUPS.flatMap(({ events, all }) => [...Object.entries(events), ...(all ? [all] : [])]));

/** `agent.update` as "Agent changed"; one that is not known here is at least spelt out. */
export function eventWords(event: string): string {
  return WORDS.get(event) ?? label(event.replaceAll(".", " ").trim());
}

/** The choices of a filter. */
export function eventOptions(): { value: string; label: string; group: string }[] {
  return GROUPS.flatMap(({ title, all, events }) =>
    [...(all ? [all] : []), ...Object.entries(events)].map(([value, words]) => ({ value, label: words, group: title })),
  );
}
