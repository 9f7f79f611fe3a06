/**
 * One reply as it comes in: a pure reducer over the events of `GET /v1/interactions/{id}/stream`.
 *
 * It knows no network and no React. It takes whatever comes: duplicates after a reconnection, pieces of an attempt that
 * was taken over, events with missing fields. It never throws, and the same events always give the same reply.
 */

export type Phase = "thinking" | "writing" | "calling" | "waiting" | "done";
export type EndState = "succeeded" | "failed" | "cancelled";

/** An event as it came over the wire. */
export interface StreamEvent {
  event: string;
  id?: string | null;
  data: unknown;
}

/** What the model wrote in one think step. */
export interface Passage {
  step: number;
  text: string;
}

export interface Call {
  seq: number;
  tool: string;
  state: string;
  arguments: unknown;
  result: unknown;
  error: string | null;
  startedAt: string | null;
  endedAt: string | null;
  /** The requests for approval of it, by their ids, once the journal tells of them. */
  approvals?: readonly string[];
}

export interface ReplyWait {
  id: string;
  kind: string;
  prompt: string;
  tool: string | null;
  stepSeq: number | null;
}

export interface ReplyEnd {
  state: EndState;
  error: string | null;
  detail: string | null;
  stopReason: string | null;
  successorId: string | null;
  messageId: string | null;
}

export interface Reply {
  phase: Phase;
  /** The position of the last piece taken in: what `Last-Event-ID` says after a reconnection. */
  attempt: number;
  seq: number;
  passages: readonly Passage[];
  reasoning: string;
  calls: readonly Call[];
  /** Tools the model has begun to call, before the call stands in the journal. */
  announced: readonly string[];
  waits: readonly ReplyWait[];
  /** The whole reply as it stands in the channel, as it came; null when there is none (yet). */
  message: unknown;
  end: ReplyEnd | null;
}

export const EMPTY: Reply = Object.freeze({
  phase: "thinking",
  attempt: 0,
  seq: 0,
  passages: [],
  reasoning: "",
  calls: [],
  announced: [],
  waits: [],
  message: null,
  end: null,
} satisfies Reply);

type Fields = Readonly<Record<string, unknown>>;

const OPEN_CALL = new Set(["waiting", "unknown"]);
const POSITION = /^(\d{1,9})\.(\d{1,9})$/;

/** The reply after one more event. Returns the same object when nothing changed. */
export function reduce(reply: Reply, event: StreamEvent): Reply {
  if (reply.end && event.event !== "reset") return reply;
  const data = fields(event.data);
  const at = position(event.id);
  switch (event.event) {
    case "delta":
    case "reasoning":
    case "call":
      return piece(reply, event.event, at, data);
    case "reset":
      return reset(reply, at?.attempt ?? number(data["attempt"]) ?? reply.attempt + 1);
    case "step":
      return settled(step(reply, data));
    case "wait":
      return settled(wait(reply, data));
    case "message":
      return { ...reply, message: event.data };
    case "done":
      return done(reply, data);
    default:
      return reply;
  }
}

export function reduceAll(reply: Reply, events: readonly StreamEvent[]): Reply {
  return events.reduce(reduce, reply);
}

/** A reply that may go on after its end: somebody asked for another try. */
export function reopen(reply: Reply): Reply {
  return reply.end ? { ...reply, end: null, message: null, phase: "thinking" } : reply;
}

/** A reply that has ended and whose message stands elsewhere: only that and how it ended. */
export function told(reply: Reply): Reply {
  return reply.end ? { ...EMPTY, phase: "done", attempt: reply.attempt, seq: reply.seq, end: reply.end } : reply;
}

/** What to send as `Last-Event-ID`; null at the start. */
export function lastEventId(reply: Reply): string | null {
  return reply.attempt > 0 ? `${reply.attempt}.${reply.seq}` : null;
}

/** The text of the answer: of its message once that is there (what is said at once comes in no pieces), else the last
 * passage that no call has followed. */
export function answer(reply: Reply): string {
  const whole = fields(reply.message);
  const said = string(whole["content"]) ?? string(whole["text"]);
  if (said !== null) return said;
  const last = reply.passages.at(-1);
  return last && !reply.calls.some((call) => call.seq > last.step) ? last.text : "";
}

// ── pieces ─────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Position {
  attempt: number;
  seq: number;
}

function piece(reply: Reply, kind: string, at: Position | null, data: Fields): Reply {
  if (at) {
    if (at.attempt < reply.attempt || (at.attempt === reply.attempt && at.seq <= reply.seq)) return reply;
    if (reply.attempt > 0 && at.attempt > reply.attempt) reply = reset(reply, at.attempt);
    reply = { ...reply, attempt: at.attempt, seq: at.seq };
  }
  const text = string(data["text"]) ?? "";
  if (kind === "call") return text ? { ...reply, phase: "calling", announced: [...reply.announced, text] } : reply;
  if (!text) return reply;
  if (kind === "reasoning") return { ...reply, phase: "thinking", reasoning: reply.reasoning + text };
  return { ...reply, phase: "writing", passages: append(reply.passages, number(data["step"]) ?? 0, text) };
}

function append(passages: readonly Passage[], step: number, text: string): Passage[] {
  const last = passages.at(-1);
  if (last?.step === step) return [...passages.slice(0, -1), { step, text: last.text + text }];
  return [...passages, { step, text }];
}

/** Another attempt begins: what it will say again goes; what stands in the journal (calls, and words before them) stays. */
function reset(reply: Reply, attempt: number): Reply {
  if (attempt <= reply.attempt && !reply.end) return reply;
  const journalled = Math.max(0, ...reply.calls.map((call) => call.seq));
  return {
    ...reply,
    phase: reply.waits.length ? "waiting" : "thinking",
    attempt: Math.max(attempt, reply.attempt),
    seq: 0,
    passages: reply.passages.filter((one) => one.step < journalled),
    reasoning: "",
    announced: [],
    message: null,
    end: null,
  };
}

// ── calls and waits ────────────────────────────────────────────────────────────────────────────────────────────────

function step(reply: Reply, data: Fields): Reply {
  const seq = number(data["seq"]);
  if (seq === null || (data["kind"] ?? "act") !== "act") return reply;
  const call: Call = {
    seq,
    tool: string(data["tool"]) ?? "",
    state: string(data["state"]) ?? "running",
    arguments: data["arguments"] ?? null,
    result: data["result"] ?? null,
    error: string(data["error"]),
    startedAt: string(data["started_at"]),
    endedAt: string(data["ended_at"]),
  };
  const calls = [...reply.calls.filter((one) => one.seq !== seq), call].sort((a, b) => a.seq - b.seq);
  const waits = OPEN_CALL.has(call.state) ? reply.waits : reply.waits.filter((one) => one.stepSeq !== seq);
  return { ...reply, calls, waits, announced: [] };
}

function wait(reply: Reply, data: Fields): Reply {
  const id = string(data["id"]);
  if (!id) return reply;
  const open: ReplyWait = {
    id,
    kind: string(data["kind"]) ?? "question",
    prompt: string(data["prompt"]) ?? "",
    tool: string(data["tool"]),
    stepSeq: number(data["step_seq"]),
  };
  return { ...reply, waits: [...reply.waits.filter((one) => one.id !== id), open] };
}

/** The phase that calls and waits speak of; writing goes on once a later passage has begun. */
function settled(reply: Reply): Reply {
  if (reply.waits.length) return { ...reply, phase: "waiting" };
  const busy = reply.calls.some((call) => call.state === "running" || call.state === "created");
  if (busy) return { ...reply, phase: "calling" };
  return { ...reply, phase: answer(reply) ? "writing" : "thinking" };
}

// ── the end ────────────────────────────────────────────────────────────────────────────────────────────────────────

function done(reply: Reply, data: Fields): Reply {
  const state = string(data["state"]);
  const end: ReplyEnd = {
    state: state === "failed" || state === "cancelled" ? state : "succeeded",
    error: string(data["error"]),
    detail: string(data["error_detail"]),
    stopReason: string(data["stop_reason"]),
    successorId: string(data["successor_id"]),
    messageId: string(data["reply_message_id"]),
  };
  return { ...reply, phase: "done", waits: [], announced: [], end };
}

// ── reading what may be anything ───────────────────────────────────────────────────────────────────────────────────

function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function string(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function number(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

function position(id: string | null | undefined): Position | null {
  const found = POSITION.exec(id ?? "");
  return found ? { attempt: Number(found[1]), seq: Number(found[2]) } : null;
}
