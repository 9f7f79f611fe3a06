/** Steps in words: what each is called, what it was about, and what a screen reader says of its bar. */
import type { Interaction, Step, Wait } from "@/api/interactions";
import { label, plural, shorten } from "@/lib/format";
import { plainWords } from "@/lib/markdown";
import { money } from "@/lib/money";
import { reasonOf, whyStepFailed } from "@/lib/reasons";
import { ofStep } from "@/lib/states";
import { between, duration } from "@/lib/time";
import type { TimelineTurn } from "@/lib/timeline";
import { keyArgument } from "@/lib/trail";

const ABOUT = 48;

/** "Model", "Get weather", "Reply". */
export function stepTitle(step: Step): string {
  if (step.kind === "act") return step.tool ? label(step.tool) : "Tool";
  return { triage: "Quick answer", think: "Model", respond: "Reply" }[step.kind];
}

/** What it was about in a few words: the telling argument of a call, the beginning of what was said. */
export function stepAbout(step: Step): string | null {
  if (step.kind === "act") return keyArgument(step.input["arguments"], ABOUT) || null;
  const text = step.output?.["text"];
  if (typeof text === "string" && text.trim() !== "") return shorten(plainWords(text), ABOUT);
  const calls = step.output?.["calls"];
  return typeof calls === "number" && calls > 0 ? `asks for ${plural(calls, "tool")}` : null;
}

const EFFECTS: Record<NonNullable<Step["effect"]>, string> = {
  read: "Only reads",
  write: "Changes data here, exactly once",
  external_keyed: "Changes something outside, safe to repeat",
  external_once: "Changes something outside, never repeated unasked",
};

export function effectOf(step: Step): string | null {
  return step.kind === "act" && step.effect ? EFFECTS[step.effect] : null;
}

/** "Get weather, Berlin: failed after 310 ms. There is no weather station in Atlantis." */
export function stepWords(step: Step, now: number): string {
  const about = stepAbout(step);
  const took = step.started_at ? duration(between(step.started_at, step.ended_at, now)) : null;
  const state = ofStep(step).label.toLowerCase();
  const time = took === null ? "" : step.ended_at ? ` after ${took}` : ` for ${took}`;
  const why = whyStepFailed(step);
  return `${stepTitle(step)}${about ? `, ${about}` : ""}: ${state}${time}.${why ? ` ${why}` : ""}`;
}

/** Tokens and cost, where there are any: "2,310 read, 148 written, $0.0073". */
export function stepUse(step: Step): string | null {
  const parts: string[] = [];
  if (step.input_tokens || step.output_tokens) {
    parts.push(`${step.input_tokens.toLocaleString()} tokens read`, `${step.output_tokens.toLocaleString()} written`);
  }
  if (step.cost === null) parts.push("price unknown");
  else if (step.cost.amount_micro > 0) parts.push(money(step.cost));
  return parts.length > 0 ? parts.join(", ") : null;
}

export function stepTries(interaction: Interaction): string | null {
  const tries = interaction.attempt;
  if (tries <= 1) return null;
  const answered = (interaction.waits ?? []).filter((wait) => wait.state !== "open").length;
  const takeovers = Math.max(0, tries - 1 - interaction.retries - answered);
  const parts: string[] = [];
  if (interaction.retries > 0) parts.push(plural(interaction.retries, "retry", "retries"));
  if (takeovers > 0) parts.push(plural(takeovers, "takeover"));
  return parts.length > 0 ? parts.join(", ") : null;
}

const WAITS: Record<Wait["kind"], string> = {
  approval: "Asks for approval",
  question: "Asks a question",
  outcome: "Asks what happened",
  callback: "Waits for another system",
  job: "Waits for a job",
  timer: "Waits for its time",
};

export function waitTitle(wait: Wait): string {
  const title = WAITS[wait.kind];
  return wait.state === "open" ? title : title.replace(/^Asks/, "Asked").replace(/^Waits/, "Waited");
}

const APPROVALS: Record<string, string | undefined> = {
  approve: "It was approved.",
  reject: "It was rejected.",
  ask_back: "Somebody asked back.",
};

/** What came of a wait, in words; null while it is open. */
export function waitAnswer(wait: Wait): string | null {
  if (wait.state === "open") return null;
  if (wait.state !== "resolved") return reasonOf(`wait_${wait.state}`);
  const said = wait.resolution ?? {};
  if (wait.kind === "approval") return APPROVALS[String(said["decision"])] ?? "It was decided.";
  if (said["happened"] === true) return "It did happen.";
  if (said["happened"] === false) return said["retry"] ? "It did not happen, and was done again." : "It did not happen.";
  return "It was answered.";
}

/** The turn as the timeline takes it; delegated turns stand under the call that was running when they began. */
export function toTimeline(interaction: Interaction, nested: readonly Interaction[] = []): TimelineTurn {
  const steps = interaction.steps ?? [];
  const children = nested.map((turn) => ({ under: callOf(steps, turn.created_at), turn: toTimeline(turn) }));
  return { ...interaction, steps, waits: interaction.waits ?? [], children };
}

function callOf(steps: readonly Step[], at: string): number | null {
  const found = steps.findLast((step) => {
    if (step.kind !== "act" || !step.started_at || Date.parse(step.started_at) > Date.parse(at)) return false;
    return !step.ended_at || Date.parse(step.ended_at) >= Date.parse(at);
  });
  return found?.seq ?? null;
}
