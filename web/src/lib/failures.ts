/** What a failed turn says, and what can be done about it. Codes are those of docs/errors.md. Pure. */
import { reasonOf } from "./reasons";

export type Remedy = "models" | "agent" | "retry";

export interface Failure {
  title: string;
  detail: string;
  /** What may help, the most likely first. */
  remedies: readonly Remedy[];
}

interface Known {
  title: string;
  detail?: string;
  remedies: readonly Remedy[];
}

const KNOWN: Record<string, Known | undefined> = {
  model_refused: { title: "The model refused the request", remedies: ["models", "retry"] },
  unknown_model: { title: "No provider is connected for this model", remedies: ["models", "agent"] },
  model_unavailable: { title: "Couldn't reach the model", remedies: ["retry", "models"] },
  model_malformed: { title: "The model's answer made no sense", remedies: ["retry"] },
  model_error: { title: "The model could not answer", remedies: ["retry", "models"] },
  misconfigured: { title: "Something is not set up", remedies: ["models"] },
  context_too_long: {
    title: "This conversation is too long for the model",
    detail: "A new channel starts fresh, and a model with more room can take this one.",
    remedies: ["agent"],
  },
  poisoned: {
    title: "This turn was set aside",
    detail: "It ended its process again and again. Another try is safe once the cause is mended.",
    remedies: ["retry"],
  },
  agent_not_enabled: { title: "This agent is paused", detail: "It answers again once it is enabled.", remedies: ["agent"] },
  cost_limit: { title: "The limit of cost was reached", remedies: ["agent", "retry"] },
  internal_error: {
    title: "Something went wrong inside Retinue",
    detail: "Nothing you wrote is lost. Another try often helps.",
    remedies: ["retry"],
  },
};

const KEY = /\bkey\b|\b401\b|quota|credit|billing/i;

/** The words for a code; `detail` is what the server said, which is written for people. */
export function failureOf(code: string | null, detail: string | null): Failure {
  const known = KNOWN[code ?? ""];
  if (!known) return { title: "This turn failed", detail: detail ?? reasonOf(code ?? "internal_error"), remedies: ["retry"] };
  const said = detail ?? known.detail ?? reasonOf(code ?? "internal_error");
  const aboutKey = known.remedies.includes("models") && KEY.test(said);
  return { title: known.title, detail: said, remedies: aboutKey ? ["models", "retry"] : known.remedies };
}
