/**
 * The keys of the query cache, in one place: live events invalidate by their prefixes (see live.ts). Everything about
 * one thing begins with `[noun, id]`; lists are `[noun, "list", filters]`.
 */
export const keys = {
  me: ["me"] as const,
  account: ["account"] as const,
  models: ["models"] as const,
  signIn: ["sign-in"] as const,
  sessions: ["sessions"] as const,

  agents: {
    all: ["agents"] as const,
    lists: ["agents", "list"] as const,
    overview: ["agents", "list", "overview"] as const,
    list: (filters: object = {}) => ["agents", "list", filters] as const,
    one: (id: string) => ["agents", id] as const,
    tools: (id: string) => ["agents", id, "tools"] as const,
    activity: (id: string) => ["agents", id, "activity"] as const,
    myConfig: (id: string) => ["agents", id, "my-config"] as const,
    snapshots: (id: string) => ["agents", id, "snapshots"] as const,
  },
  channels: {
    all: ["channels"] as const,
    lists: ["channels", "list"] as const,
    list: (filters: object = {}) => ["channels", "list", filters] as const,
    one: (id: string) => ["channels", id] as const,
    members: (id: string) => ["channels", id, "members"] as const,
  },
  messages: {
    all: ["messages"] as const,
    of: (channel: string) => ["messages", channel] as const,
    list: (channel: string, part: object = {}) => ["messages", channel, "list", part] as const,
    thread: (channel: string, message: string) => ["messages", channel, "thread", message] as const,
    one: (channel: string, message: string) => ["messages", channel, "one", message] as const,
  },
  interactions: {
    all: ["interactions"] as const,
    lists: ["interactions", "list"] as const,
    list: (filters: object = {}) => ["interactions", "list", filters] as const,
    one: (id: string) => ["interactions", id] as const,
    step: (id: string, seq: number) => ["interactions", id, "step", seq] as const,
    prompt: (id: string, seq: number) => ["interactions", id, "prompt", seq] as const,
    config: (id: string) => ["interactions", id, "config"] as const,
    audit: (id: string) => ["interactions", id, "audit"] as const,
  },
  waits: { all: ["waits"] as const, list: (filters: object = {}) => ["waits", "list", filters] as const },
  usage: { all: ["usage"] as const, list: (filters: object = {}) => ["usage", "list", filters] as const },
  search: (query: string, filters: object = {}) => ["search", query, filters] as const,
  users: {
    all: ["users"] as const,
    list: (filters: object = {}) => ["users", "list", filters] as const,
    one: (id: string) => ["users", id] as const,
  },
  members: { all: ["members"] as const, list: (filters: object = {}) => ["members", "list", filters] as const },
  teams: {
    all: ["teams"] as const,
    list: (filters: object = {}) => ["teams", "list", filters] as const,
    one: (id: string) => ["teams", id] as const,
    members: (id: string) => ["teams", id, "members"] as const,
  },
  apiKeys: { all: ["keys"] as const, list: (filters: object = {}) => ["keys", "list", filters] as const },
  tools: { all: ["tools"] as const, list: (filters: object = {}) => ["tools", "list", filters] as const },
  catalogue: ["catalogue"] as const,
  providers: ["providers"] as const,
  storage: ["storage"] as const,
  files: { one: (id: string) => ["files", id] as const },
} as const;
