import createClient from "openapi-fetch";

import type { components, paths } from "./schema";

export type Schemas = components["schemas"];
export type FieldError = Schemas["FieldError"];

/** Sends and receives exactly what the API's own description says. The session cookie goes along by itself. */
export const api = createClient<paths>({ baseUrl: window.location.origin });

/** What the server, or the way to it, refused. `detail` is written for people and says what to do. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    /** The HTTP status; 0 when no answer came. */
    readonly status: number,
    /** The stable code of docs/errors.md; `unreachable` when no answer came. */
    readonly code: string,
    readonly title: string,
    readonly detail: string,
    readonly errors: readonly FieldError[] = [],
    /** Under which id the server's log knows more. */
    readonly id: string | null = null,
  ) {
    super(detail || title);
  }

  /** Reasons by field of the request body, for forms: `body.name` becomes `name`. */
  fields(): Record<string, string> {
    return Object.fromEntries(this.errors.map(({ path, reason }) => [path.replace(/^body\./, ""), sentence(reason)]));
  }
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The body of the answer. Throws `ApiError` for everything else; one that says "not signed in" is told to the app. */
export async function unwrap<T>(asked: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await asked;
  } catch (error) {
    throw unreachable(error);
  }
  if (answer.response.ok) return answer.data as T;
  throw refused(answer.response, answer.error);
}

/** For answers that no JSON describes (downloads, uploads): the response itself, or the same errors as `unwrap`. */
export async function checked(asked: Promise<Response>): Promise<Response> {
  let response: Response;
  try {
    response = await asked;
  } catch (error) {
    throw unreachable(error);
  }
  if (response.ok) return response;
  const body: unknown = await response.json().catch(() => null);
  throw refused(response, body);
}

function refused(response: Response, body: unknown): ApiError {
  const error = asError(response.status, body);
  if (error.code === "not_signed_in") signedOut();
  return error;
}

/** A problem document (RFC 9457) as an error; also copes with a proxy that answers with something else. */
export function asError(status: number, body: unknown): ApiError {
  const problem = (typeof body === "object" && body !== null ? body : {}) as Partial<Schemas["Problem"]>;
  return new ApiError(
    status,
    problem.code ?? (status >= 500 ? "unavailable" : "refused"),
    problem.title ?? "The server refused this",
    problem.detail ?? `The answer was ${status}. Try again in a moment.`,
    problem.errors ?? [],
    problem.id ?? null,
  );
}

function unreachable(error: unknown): unknown {
  if (error instanceof DOMException && error.name === "AbortError") return error;
  if (error instanceof ApiError) return error;
  return new ApiError(0, "unreachable", "Couldn't reach the server", "Check your connection, then try again.");
}

let signedOut: () => void = () => undefined;

/** What to do when the server no longer knows this session. Set once by the app. */
export function onSignedOut(then: () => void): void {
  signedOut = then;
}
