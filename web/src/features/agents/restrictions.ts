/** What tools may not do where an agent is assigned: as fields, as the API takes them, and in words. Pure. */
import type { Restriction } from "@/api/registry";
import { label, plural } from "@/lib/format";

type Count = number | "";

/** One tool's fields. */
export interface Row {
  tool: string;
  blocked: boolean;
  /** Whether only `allowed` actions may be used; an empty list then allows none. */
  narrowed: boolean;
  allowed: string[];
  denied: string[];
  calls: Count;
}

export function newRow(tool: string): Row {
  return { tool, blocked: true, narrowed: false, allowed: [], denied: [], calls: "" };
}

export function rowsOf(restrictions: Readonly<Record<string, Restriction>>): Row[] {
  return Object.entries(restrictions)
    .map(([tool, one]) => ({
      tool,
      blocked: one.blocked,
      narrowed: one.allowed_actions !== null,
      allowed: [...(one.allowed_actions ?? [])],
      denied: [...one.denied_actions],
      calls: one.max_calls_per_interaction ?? ("" as const),
    }))
    .sort((one, other) => one.tool.localeCompare(other.tool));
}

/** What is sent. A tool of which nothing is taken away is not named. */
export function restrictionsOf(rows: readonly Row[]): Record<string, Restriction> {
  const found: Record<string, Restriction> = {};
  for (const { tool, blocked, narrowed, allowed, denied, calls } of rows) {
    if (!blocked && !narrowed && denied.length === 0 && calls === "") continue;
    found[tool] = {
      blocked,
      allowed_actions: narrowed ? allowed : null,
      denied_actions: denied,
      max_calls_per_interaction: calls === "" ? null : calls,
    };
  }
  return found;
}

/** "Send mail blocked; Crm only read, list, at most 3 calls a turn"; null where nothing is restricted. */
export function restrictionWords(restrictions: Readonly<Record<string, Restriction>>): string | null {
  const parts = rowsOf(restrictions).map((row) => `${label(row.tool)} ${oneInWords(row)}`);
  return parts.join("; ") || null;
}

function oneInWords({ blocked, narrowed, allowed, denied, calls }: Row): string {
  if (blocked) return "blocked";
  return [
    narrowed && `only ${allowed.join(", ") || "nothing"}`,
    denied.length > 0 && `not ${denied.join(", ")}`,
    calls !== "" && `at most ${plural(calls, "call")} a turn`,
  ]
    .filter(Boolean)
    .join(", ");
}

/** The values that a tool's `action` takes; null where it has no such parameter, and its actions cannot be restricted. */
export function actionsOf(parameters: Readonly<Record<string, unknown>> | undefined): string[] | null {
  const properties = parameters?.["properties"];
  if (typeof properties !== "object" || properties === null || !("action" in properties)) return null;
  const { action } = properties;
  const choices = typeof action === "object" && action !== null && "enum" in action ? action.enum : [];
  return Array.isArray(choices) ? choices.filter((one): one is string => typeof one === "string") : [];
}
