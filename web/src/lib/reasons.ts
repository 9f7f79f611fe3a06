/** Why a turn or a step did not go well, in words. Codes are those of docs/errors.md. */

const WORDS: Record<string, string> = {
  action_not_allowed: "The tool may be used for other actions only.",
  admin_not_granted: "The tool manages the platform, and the account has not granted that to this agent.",
  advisory_only: "The agent's role may only recommend.",
  agent_not_enabled: "The agent was paused or removed before its turn began.",
  approval_expired: "Nobody approved this in time.",
  approval_required: "A person has to approve this first.",
  approval_withdrawn: "The request for approval was withdrawn.",
  asked_back: "A person wants to know something before they approve this.",
  authority_exceeded: "This goes past what the agent's role may spend, how long it may work, or how much it may do at once.",
  bad_response: "The tool answered in a form that was not asked for.",
  bad_result: "The tool gave a result of the wrong shape.",
  budget_exceeded: "This could cost more than is left of a budget.",
  call_limit: "The agent may not call this tool again in one turn.",
  cancelled: "Somebody stopped it.",
  capability_too_low: "Calling other agents takes the capability level workflow.",
  connection_lost: "The connection failed after the request was sent.",
  content_blocked: "It holds something that a policy rules out.",
  content_redacted: "What a policy rules out was taken out first.",
  context_too_long: "The conversation is too long for this model.",
  cost_limit: "The turn reached its limit of cost.",
  delegation_cycle_detected: "The agent it would ask is already waiting for this answer.",
  delegation_depth_exceeded: "Work was passed on as often as it may be.",
  did_not_happen: "A person says it did not happen.",
  egress_refused: "This call may not leave the installation.",
  endpoint_error: "The tool refused the call.",
  endpoint_unavailable: "The tool cannot work just now.",
  escalated: "A rule of the agent's role leaves this to a person, or rules it out.",
  granted: "It was approved beforehand.",
  host_not_allowed: "The host is not among those that may be called.",
  internal_error: "Something went wrong inside Retinue.",
  invalid_arguments: "The model sent arguments that do not fit the tool.",
  malformed_response: "The tool's answer could not be understood.",
  model_error: "The language model could not answer.",
  model_malformed: "The model's answer could not be understood.",
  model_not_allowed: "The model is not among those that may be used.",
  model_refused: "The model's provider refused the request.",
  model_unavailable: "The model was not reachable.",
  no_body: "This tool only signals, and nobody waits for it.",
  no_policy: "Nothing says that this is allowed.",
  not_assigned: "The agent is not assigned to the person it would work for, nor to their team.",
  not_registered: "The agent is not registered with a tier and a score.",
  outcome_unknown: "It is not known whether the tool did its work.",
  outside_hours: "This is not allowed at this time.",
  outside_role: "The data, the change or the place is outside the agent's role.",
  poisoned: "The turn ended its process again and again, so it was set aside.",
  policy_failed: "A rule could not be read, so everything it rules over is held back.",
  rate_limited: "A limit of calls or tokens in a time is reached.",
  rejected: "A person did not approve this.",
  response_too_large: "The tool's answer was too large.",
  retrieval_only: "The agent's role may only read.",
  secret_missing: "The tool's secret is not stored. An administrator has to add it.",
  step_limit: "The turn reached its limit of steps.",
  superseded: "New input came in, and the turn was started again with it.",
  time_limit: "The turn reached its limit of time.",
  timeout: "The tool did not answer in time.",
  token_limit: "The turn reached its limit of tokens.",
  tool_blocked: "The tool is not to be used here.",
  tool_failed: "The tool failed.",
  tool_timeout: "The tool did not answer in time.",
  tool_unavailable: "The tool was not reachable.",
  trigger_mode_not_allowed: "Agents work here only when they are addressed.",
  trust_too_low: "The agent is not trusted enough for this tool.",
  unknown_model: "No provider is connected for this model.",
  unknown_price: "Nobody knows what this costs, so no budget can be kept.",
  unknown_tool: "The agent has no tool by that name.",
  wait_cancelled: "The question was withdrawn before anybody answered.",
  wait_expired: "Nobody answered in time.",
};

/** A sentence for a stable code; an unknown code is at least spelt out. */
export function reasonOf(code: string): string {
  const words = WORDS[code];
  if (words) return words;
  const plain = code.replaceAll("_", " ");
  return `${plain.charAt(0).toUpperCase()}${plain.slice(1)}.`;
}

interface Ended {
  state: string;
  error: string | null;
  error_detail: string | null;
  stop_reason: string | null;
}

/** Why this turn failed, was stopped, or was cut short; null for one that went well or has not ended. */
export function whyEnded(turn: Ended): string | null {
  if (turn.state === "failed") return turn.error_detail ?? reasonOf(turn.error ?? turn.stop_reason ?? "internal_error");
  if (turn.state === "cancelled") return reasonOf(turn.stop_reason ?? "cancelled");
  if (turn.state === "succeeded" && turn.stop_reason) return reasonOf(turn.stop_reason);
  return null;
}

/** Why it is queued again, while it waits for its next try. */
export function whyAgain(turn: Ended & { retries: number }): string | null {
  if (turn.state !== "queued" || turn.retries === 0) return null;
  return turn.error_detail ?? (turn.error ? reasonOf(turn.error) : null);
}

interface Failing {
  state: string;
  error: string | null;
  output: Record<string, unknown> | null;
}

/** Why this step failed; the tool's own words where it gave some. */
export function whyStepFailed(step: Failing): string | null {
  if (step.state !== "failed" && step.error === null) return null;
  const detail = detailIn(step.output);
  if (detail) return detail;
  return reasonOf(step.error ?? "tool_failed");
}

function detailIn(output: Record<string, unknown> | null): string | null {
  const content = output?.["content"];
  const from = typeof content === "object" && content !== null ? (content as Record<string, unknown>) : output;
  const detail = from?.["detail"];
  return typeof detail === "string" && detail !== "" ? detail.replace(/\.\.$/, ".") : null;
}
