/** What changed from one version of a policy to the next. Pure. */
import type { PolicyVersion } from "@/api/policies";

export interface Change {
  path: string;
  before: unknown;
  after: unknown;
}

type Tree = Record<string, unknown>;

/** By dotted path, in the order in which the newer names them. */
export function changes(before: PolicyVersion, after: PolicyVersion): Change[] {
  const [old, now] = [flat(content(before)), flat(content(after))];
  const paths = [...new Set([...now.keys(), ...old.keys()])];
  return paths
    .filter((path) => JSON.stringify(old.get(path)) !== JSON.stringify(now.get(path)))
    .map((path) => ({ path, before: old.get(path), after: now.get(path) }));
}

function content({ name, enabled, priority, rule }: PolicyVersion): Tree {
  return { name, enabled, priority, rule };
}

function flat(value: Tree, above = ""): Map<string, unknown> {
  const found = new Map<string, unknown>();
  for (const [key, inner] of Object.entries(value)) {
    const path = `${above}${key}`;
    if (typeof inner === "object" && inner !== null && !Array.isArray(inner) && Object.keys(inner).length > 0) {
      for (const [deeper, one] of flat(inner as Tree, `${path}.`)) found.set(deeper, one);
    } else found.set(path, inner);
  }
  return found;
}

const PATHS: Record<string, string> = {
  name: "Name",
  enabled: "In force",
  priority: "Order",
  "rule.type": "Kind",
  "rule.scope.agents": "Agents",
  "rule.scope.channels": "Channels",
  "rule.scope.tools": "Tools it applies to",
  "rule.scope.effects": "What the tool does",
  "rule.only": "Only these tools",
  "rule.never": "Never these tools",
  "rule.max_calls_per_interaction": "Calls in one turn",
  "rule.limit_micro": "Limit",
  "rule.cost_above_micro": "Cost above",
  "rule.where": "Conditions",
  "rule.ask.panels": "Who decides",
  "rule.ask.expires_seconds": "Time to decide",
  "rule.ask.on_expiry": "When nobody decides",
  "rule.ask.grants": "May stand for later calls",
};

export function pathWords(path: string): string {
  const known = PATHS[path];
  if (known) return known;
  const plain = path.replace(/^rule\./, "").replaceAll(".", ", ").replaceAll("_", " ");
  return plain.charAt(0).toUpperCase() + plain.slice(1);
}

/** A value for people: amounts in dollars, yes and no, ids by name. */
export function valueWords(path: string, value: unknown, name: (id: string) => string | undefined): string {
  if (value === undefined || value === null) return "Nothing";
  if (typeof value === "boolean") return value ? "Yes" : "No";
  if (typeof value === "number") return path.endsWith("_micro") ? `$${String(value / 1_000_000)}` : String(value);
  if (typeof value === "string") return name(value) ?? value;
  if (Array.isArray(value) && value.every((one): one is string => typeof one === "string")) {
    return value.length === 0 ? "None" : value.map((one) => name(one) ?? one).join("\n");
  }
  return JSON.stringify(value, null, 2);
}
