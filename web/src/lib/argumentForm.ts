/** A form for a tool's arguments, made from its JSON Schema: its fields, their values as one types them, and back. Pure. */
import { label } from "./format";

export type Kind = "line" | "text" | "number" | "yes_no" | "choice" | "lines" | "json";

export interface Field {
  name: string;
  label: string;
  help: string;
  kind: Kind;
  required: boolean;
  /** Whether nothing at all (null) is a value. */
  nullable: boolean;
  whole: boolean;
  choices: string[];
}

/** What stands in the fields: text, or whether it is ticked. */
export type Values = Record<string, string | boolean>;
export type Arguments = Record<string, unknown>;
type Fields = Readonly<Record<string, unknown>>;

const LONG = 80;

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What the tool needs first, in its order, then the rest: the order of a JSON object is not kept. */
export function ordered(names: readonly string[], schema: Fields): string[] {
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  const place = (name: string) => (required.includes(name) ? required.indexOf(name) : required.length);
  return [...names].sort((one, other) => place(one) - place(other));
}

/** The fields of a schema's properties, then of arguments that the schema does not name. */
export function fieldsOf(schema: Fields, given: Arguments): Field[] {
  const properties = isFields(schema["properties"]) ? schema["properties"] : {};
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  const names = [...new Set([...Object.keys(properties), ...Object.keys(given)])];
  return ordered(names, schema).map((name) => fieldOf(name, properties[name], given[name], required.includes(name)));
}

function fieldOf(name: string, described: unknown, value: unknown, required: boolean): Field {
  const { part, nullable } = without(isFields(described) ? described : {});
  const of = isFields(described) ? described : {};
  const title = typeof of["title"] === "string" ? of["title"] : label(name);
  const help = [of["description"], part["description"]].find((words) => typeof words === "string");
  const choices = Array.isArray(part["enum"]) && part["enum"].every((one) => typeof one === "string") ? part["enum"] : [];
  const kind = fits(kindOf(part, value, choices), value) ? kindOf(part, value, choices) : "json";
  return { name, label: title, help: typeof help === "string" ? help : "", kind, required, nullable, whole: part["type"] === "integer", choices };
}

/** The schema without the null that makes it optional. */
function without(described: Fields): { part: Fields; nullable: boolean } {
  const type = described["type"];
  if (Array.isArray(type)) {
    const rest = type.filter((one) => one !== "null");
    return { part: { ...described, type: rest.length === 1 ? rest[0] : undefined }, nullable: rest.length < type.length };
  }
  for (const key of ["anyOf", "oneOf"]) {
    const any = described[key];
    if (!Array.isArray(any)) continue;
    const rest = any.filter((one) => isFields(one) && one["type"] !== "null");
    const only: unknown = rest[0];
    return { part: rest.length === 1 && isFields(only) ? only : {}, nullable: rest.length < any.length };
  }
  return { part: described, nullable: false };
}

function kindOf(part: Fields, value: unknown, choices: readonly string[]): Kind {
  if (choices.length > 0) return "choice";
  switch (part["type"]) {
    case "string":
      return typeof value === "string" && (value.length > LONG || value.includes("\n")) ? "text" : "line";
    case "number":
    case "integer":
      return "number";
    case "boolean":
      return "yes_no";
    case "array":
      return isFields(part["items"]) && part["items"]["type"] === "string" && !("enum" in part["items"]) ? "lines" : "json";
    default:
      return "json";
  }
}

/** Whether a field of this kind can hold what is there now; what cannot be held is edited as JSON, so nothing is lost. */
function fits(kind: Kind, value: unknown): boolean {
  if (value === undefined || value === null) return true;
  switch (kind) {
    case "line":
    case "text":
    case "choice":
      return typeof value === "string";
    case "number":
      return typeof value === "number";
    case "yes_no":
      return typeof value === "boolean";
    case "lines":
      return Array.isArray(value) && value.every((one) => typeof one === "string" && one !== "" && !/[\n\r]/.test(one));
    default:
      return true;
  }
}

export function valuesOf(fields: readonly Field[], given: Arguments): Values {
  return Object.fromEntries(fields.map((field) => [field.name, valueOf(field, given[field.name])]));
}

function valueOf({ kind }: Field, value: unknown): string | boolean {
  if (kind === "yes_no") return value === true;
  if (value === undefined || value === null) return "";
  if (kind === "lines" && Array.isArray(value)) return value.join("\n");
  return typeof value === "string" && kind !== "json" ? value : JSON.stringify(value, null, 2);
}

export interface Read {
  arguments: Arguments;
  errors: Record<string, string>;
}

/** The arguments as the fields now say, and what cannot be read of them. Untouched fields give back what was there. */
export function argumentsOf(fields: readonly Field[], values: Values, given: Arguments): Read {
  const read: Read = { arguments: {}, errors: {} };
  for (const field of fields) {
    const value = values[field.name] ?? "";
    if (value === valueOf(field, given[field.name])) {
      if (Object.hasOwn(given, field.name)) read.arguments[field.name] = given[field.name];
      else if (field.required && field.kind !== "yes_no") read.errors[field.name] = "This is needed.";
      else if (field.required) read.arguments[field.name] = false;
    } else {
      const found = taken(field, value);
      if (found && "value" in found) read.arguments[field.name] = found.value;
      else if (found) read.errors[field.name] = found.error;
    }
  }
  return read;
}

/** What one field says: a value, nothing at all, or what is wrong. */
type Taken = { value: unknown } | { error: string } | null;

function taken({ kind, required, nullable, whole }: Field, value: string | boolean): Taken {
  if (typeof value === "boolean") return { value };
  if (value.trim() === "" && (kind === "number" || kind === "choice" || kind === "json")) {
    if (nullable) return { value: null };
    return required ? { error: "This is needed." } : null;
  }
  switch (kind) {
    case "number":
      return numberIn(value, whole);
    case "lines":
      return { value: value.split("\n").map((line) => line.trim()).filter(Boolean) }; // prettier-ignore
    case "json":
      return jsonIn(value);
    default:
      return { value };
  }
}

function numberIn(text: string, whole: boolean): Taken {
  const number = Number(text.trim());
  if (!Number.isFinite(number)) return { error: "Use a number." };
  return whole && !Number.isInteger(number) ? { error: "Use a whole number." } : { value: number };
}

function jsonIn(text: string): Taken {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return { error: "This is not JSON." };
  }
}

/** A whole set of arguments as somebody wrote it; null where it is no JSON object. */
export function parseArguments(text: string): Arguments | null {
  try {
    const found: unknown = JSON.parse(text);
    return isFields(found) ? { ...found } : null;
  } catch {
    return null;
  }
}

/** The server's reasons by field: `arguments.items.0` belongs to `items`; what belongs to none is under "". */
export function placed(reasons: Record<string, string>, fields: readonly Field[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [path, reason] of Object.entries(reasons)) {
    const [, name = "", ...rest] = path.split(".");
    const known = path.startsWith("arguments.") && fields.some((field) => field.name === name);
    found[known ? name : ""] ??= known && rest.length > 0 ? `${rest.join(".")}: ${reason}` : reason;
  }
  return found;
}
