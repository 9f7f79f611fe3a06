/** What an agent did on the way to its answer: words before calls, and the calls, in order. Pure. */
import { shorten } from "./format";
import type { Call, Passage, Reply } from "./stream";

export type Stop = { kind: "words"; step: number; text: string } | { kind: "calls"; step: number; calls: Call[] };

/** A step as the API gives it, as much of it as is shown in a conversation. */
export interface JournalStep {
  seq: number;
  kind: string;
  tool: string | null;
  state: string;
  input: Record<string, unknown>;
  output: Record<string, unknown> | null;
  error: string | null;
  started_at: string | null;
  ended_at: string | null;
}

/** The way so far of a reply that streams; its answer is not part of it. */
export function trailOf(reply: Pick<Reply, "passages" | "calls">): Stop[] {
  return woven(reply.passages.filter((one) => reply.calls.some((call) => call.seq > one.step)), reply.calls);
}

/** A wait as the API gives it, as much of it as is shown in a conversation. */
export interface JournalWait {
  id: string;
  kind: string;
  step_seq: number | null;
}

/** The way of a turn as its journal tells it. */
export function trailOfSteps(steps: readonly JournalStep[], waits?: readonly JournalWait[] | null): Stop[] {
  const asked = (waits ?? []).filter((wait) => wait.kind === "approval");
  const calls = steps
    .filter((step) => step.kind === "act")
    .map((step) => withApprovals(callOf(step), asked));
  const words = steps
    .filter((step) => step.kind === "think" && calls.some((call) => call.seq > step.seq))
    .map((step) => ({ step: step.seq, text: textOf(step) }));
  return woven(words, calls);
}

function withApprovals(call: Call, asked: readonly JournalWait[]): Call {
  const own = asked.filter((wait) => wait.step_seq === call.seq).map((wait) => wait.id);
  return own.length > 0 ? { ...call, approvals: own } : call;
}

function callOf(step: JournalStep): Call {
  return {
    seq: step.seq,
    tool: step.tool ?? "",
    state: step.state,
    arguments: step.input["arguments"] ?? null,
    result: step.output && "content" in step.output ? step.output["content"] : step.output,
    error: step.error,
    startedAt: step.started_at,
    endedAt: step.ended_at,
  };
}

function textOf(step: JournalStep): string {
  const text = step.output?.["text"];
  return typeof text === "string" ? text : "";
}

function woven(words: readonly Passage[], calls: readonly Call[]): Stop[] {
  const stops: Stop[] = [];
  const said = words.filter((one) => one.text.trim());
  for (const call of calls) {
    while (said[0] && said[0].step < call.seq) {
      const next = said.shift();
      if (next) stops.push({ kind: "words", ...next });
    }
    const last = stops.at(-1);
    if (last?.kind === "calls") last.calls.push(call);
    else stops.push({ kind: "calls", step: call.seq, calls: [call] });
  }
  return stops;
}

const TELLING = ["query", "q", "question", "text", "name", "title", "url", "path", "city", "time_zone", "id"];

/** The argument that says most, for one line: a known name first, else the first words, else the first number; or "". */
export function keyArgument(value: unknown, limit = 80): string {
  if (typeof value === "string") return shorten(value, limit);
  if (typeof value !== "object" || value === null) return "";
  const simple = Object.entries(value).filter((entry): entry is [string, string | number] => isSimple(entry[1]));
  const known = TELLING.map((name) => simple.find(([key]) => key === name)).find(Boolean);
  const best = known ?? simple.find(([, one]) => typeof one === "string") ?? simple[0];
  return best ? shorten(String(best[1]), limit) : "";
}

function isSimple(value: unknown): boolean {
  return typeof value === "number" || (typeof value === "string" && value.trim() !== "");
}
