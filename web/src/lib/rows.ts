/** The rows of a conversation, from what was said, what agents are doing, and what is on its way. Pure. */
import { dayNumber } from "./time";

export interface SaidMessage {
  id: string;
  seq: number;
  author_kind: string;
  user_id: string | null;
  agent_id: string | null;
  interaction_id: string | null;
  status: string;
  created_at: string;
}

/** One turn of an agent, as much of it as its place in the conversation takes. */
export interface PlacedTurn {
  id: string;
  agent_id: string;
  message_id: string | null;
  state: string;
  stop_reason: string | null;
  successor_id: string | null;
  created_at: string;
  ended_at: string | null;
}

export interface Outgoing {
  key: string;
  created_at: string;
}

interface Dated {
  key: string;
  /** The moment that a line above the row names the day of; null without such a line. */
  day: string | null;
}

export type Row<M extends SaidMessage, T extends PlacedTurn, O extends Outgoing> = Dated &
  (
    | { kind: "message"; message: M; grouped: boolean; unread: boolean }
    | { kind: "turn"; turn: T }
    | { kind: "outgoing"; outgoing: O; grouped: boolean }
    | { kind: "expected"; agentId: string; since: string }
  );

export interface Talk<M extends SaidMessage, T extends PlacedTurn, O extends Outgoing> {
  messages: readonly M[];
  turns: readonly T[];
  outgoing: readonly O[];
  /** Agents that are about to answer what is on its way. */
  expected: readonly string[];
  /** The last place the reader had read when they came; null: all of it. */
  readSeq: number | null;
  me: string | null;
  /** Whether the messages reach the present. */
  present: boolean;
}

const GROUP_MS = 5 * 60_000;
const LIVE = new Set(["queued", "running", "waiting"]);

export function isLive(turn: Pick<PlacedTurn, "state">): boolean {
  return LIVE.has(turn.state);
}

/** Everything in reading order. A turn whose reply is there is the reply's row; its key stays the same. */
export function rows<M extends SaidMessage, T extends PlacedTurn, O extends Outgoing>(
  talk: Talk<M, T, O>,
): Row<M, T, O>[] {
  const out: Row<M, T, O>[] = [];
  const answered = new Set(talk.messages.map((message) => message.interaction_id));
  const ended = endings(talk, answered);
  const used = new Set<string>();
  let unreadShown: boolean = false;
  let before: M | null = null;
  for (const message of talk.messages) {
    for (const turn of takeUntil(ended, message.created_at)) out.push(turnRow(turn, out.length === 0));
    const unread: boolean = !unreadShown && isUnread(message, talk);
    unreadShown ||= unread;
    const day = before && sameDay(before.created_at, message.created_at) ? null : message.created_at;
    const grouped = !day && !unread && out.at(-1)?.kind === "message" && groups(before, message);
    out.push({ kind: "message", key: keyOf(message, used), message, grouped, unread, day });
    before = message;
  }
  if (!talk.present) return out;
  for (const turn of ended) out.push(turnRow(turn, out.length === 0));
  return [...out, ...present(talk, answered, before)];
}

function keyOf(message: SaidMessage, used: Set<string>): string {
  const turn = message.author_kind === "agent" && message.interaction_id ? `turn ${message.interaction_id}` : null;
  const key = turn && !used.has(turn) ? turn : message.id;
  used.add(key);
  return key;
}

function turnRow<T extends PlacedTurn>(turn: T, first: boolean): Dated & { kind: "turn"; turn: T } {
  return { kind: "turn", key: `turn ${turn.id}`, turn, day: first ? turn.created_at : null };
}

/** Turns that ended without a reply, in the order of their ends; shown where what they answer is loaded. */
function endings<M extends SaidMessage, T extends PlacedTurn, O extends Outgoing>(
  talk: Talk<M, T, O>,
  answered: ReadonlySet<string | null>,
): T[] {
  const loaded = new Set(talk.messages.map((message) => message.id));
  return talk.turns
    .filter((turn) => !isLive(turn) && !answered.has(turn.id) && isTold(turn))
    .filter((turn) => (turn.message_id ? loaded.has(turn.message_id) : talk.messages.length > 0))
    .filter((turn) => turn.message_id !== null || after(turn.ended_at ?? "", talk.messages[0]?.created_at ?? ""))
    .sort((a, b) => compare(a.ended_at ?? a.created_at, b.ended_at ?? b.created_at));
}

/** Failures, and stops that somebody asked for; a turn that another one takes over from is not worth a word. */
function isTold(turn: PlacedTurn): boolean {
  return turn.state === "failed" || (turn.state === "cancelled" && turn.successor_id === null && turn.stop_reason !== "superseded");
}

function takeUntil<T extends PlacedTurn>(ended: T[], moment: string): T[] {
  const count = ended.findIndex((turn) => after(turn.ended_at ?? turn.created_at, moment));
  return ended.splice(0, count < 0 ? ended.length : count);
}

/** What is going on now: turns under way, then what I am sending, then who is about to answer it. */
function present<M extends SaidMessage, T extends PlacedTurn, O extends Outgoing>(
  talk: Talk<M, T, O>,
  answered: ReadonlySet<string | null>,
  last: M | null,
): Row<M, T, O>[] {
  const loaded = new Set(talk.messages.map((message) => message.id));
  const live = talk.turns
    .filter((turn) => isLive(turn) && !answered.has(turn.id))
    .filter((turn) => turn.message_id === null || loaded.has(turn.message_id))
    .sort((a, b) => compare(a.created_at, b.created_at));
  const busy = new Set(live.map((turn) => turn.agent_id));
  let mine = last?.author_kind === "user" && last.user_id === talk.me ? last.created_at : null;
  const sending = talk.outgoing.map((outgoing, index): Row<M, T, O> => {
    const day = last && sameDay(last.created_at, outgoing.created_at) ? null : index === 0 ? outgoing.created_at : null;
    const grouped = !day && mine !== null && !live.length && near(mine, outgoing.created_at);
    mine = outgoing.created_at;
    return { kind: "outgoing", key: outgoing.key, outgoing, grouped, day };
  });
  const since = talk.outgoing.at(-1)?.created_at ?? "";
  return [
    ...live.map((turn): Row<M, T, O> => ({ kind: "turn", key: `turn ${turn.id}`, turn, day: null })),
    ...sending,
    ...talk.expected
      .filter((agent) => !busy.has(agent))
      .map((agentId): Row<M, T, O> => ({ kind: "expected", key: `expected ${agentId}`, agentId, since, day: null })),
  ];
}

function isUnread(message: SaidMessage, talk: { readSeq: number | null; me: string | null }): boolean {
  return talk.readSeq !== null && message.seq > talk.readSeq && (message.user_id === null || message.user_id !== talk.me);
}

/** People's messages that follow each other closely; an agent's reply always says whose it is. */
function groups(before: SaidMessage | null, message: SaidMessage): boolean {
  return (
    before !== null &&
    before.author_kind === "user" &&
    message.author_kind === "user" &&
    before.user_id === message.user_id &&
    before.status !== "deleted" &&
    near(before.created_at, message.created_at)
  );
}

function near(before: string, after: string): boolean {
  return Date.parse(after) - Date.parse(before) < GROUP_MS;
}

function sameDay(one: string, other: string): boolean {
  return one.slice(0, 13) === other.slice(0, 13) || dayNumber(one) === dayNumber(other);
}

function after(one: string, other: string): boolean {
  return compare(one, other) > 0;
}

function compare(one: string, other: string): number {
  return Date.parse(one) - Date.parse(other);
}
