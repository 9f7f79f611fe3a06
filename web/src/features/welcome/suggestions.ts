/** Three things to try first. Without a language model: such as the tools alone answer, for real. */
export interface Suggestion {
  title: string;
  /** What is sent. */
  prompt: string;
  /** What it shows. */
  why: string;
}

const WITH_MODEL: readonly Suggestion[] = [
  { title: "Ask what it can do", prompt: "What can you do here, and what can't you?", why: "It answers from its own tools." },
  { title: "Make it look something up", prompt: "What time is it in Lisbon and in Tokyo?", why: "It calls a tool; open the card to see." },
  { title: "Hand over some writing", prompt: "Draft a short welcome note for a new colleague who starts on Monday.", why: "The reply streams in; Stop works." },
];

const OFFLINE: readonly Suggestion[] = [
  { title: "Ask for the time", prompt: "What time is it in Lisbon?", why: "It calls a tool; open the card to see." },
  { title: "Ask who is here", prompt: "Who is in this channel?", why: "It reads the members of the conversation." },
  { title: "Search what was said", prompt: 'Search the messages for "Lisbon"', why: "It finds your own words again." },
];

export function suggestions(offline: boolean): readonly Suggestion[] {
  return offline ? OFFLINE : WITH_MODEL;
}

/** The agent that newcomers meet: the built-in Assistant, else the first that can work. */
export function greeter<T extends { slug: string; status: string }>(agents: readonly T[]): T | undefined {
  const able = agents.filter(({ status }) => status === "enabled");
  return able.find(({ slug }) => slug === "assistant") ?? able[0];
}
