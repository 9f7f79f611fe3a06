/** What one sets about an agent for oneself, as a form and as it is sent. Pure. */
import type { MyConfig, MyConfigChange } from "@/api/myConfig";

type Preference = MyConfig["preferences"][string];
export type Length = NonNullable<MyConfig["overrides"]["reply_length"]>;

export interface Row {
  /** Stays with the row while others come and go. */
  key: string;
  name: string;
  value: string;
  /** What was stored: a number stays a number as long as nobody rewrites it. */
  stored?: Preference;
}

export interface Values {
  style: string;
  locale: string | null;
  time_zone: string | null;
  reply_length: Length | null;
  rows: Row[];
}

export const MOST = 50;

let made = 0;

export function newRow(): Row {
  made += 1;
  return { key: `new-${made}`, name: "", value: "" };
}

export function valuesOf(config: MyConfig): Values {
  const { style, locale, time_zone, reply_length } = config.overrides;
  const rows = Object.entries(config.preferences).map(([name, stored]) => ({
    key: `kept-${name}`,
    name,
    value: String(stored),
    stored,
  }));
  return { style: style ?? "", locale: locale ?? null, time_zone: time_zone ?? null, reply_length: reply_length ?? null, rows };
}

function isEmpty(row: Row): boolean {
  return row.name.trim() === "" && row.value.trim() === "";
}

/** What is wrong, by field. Rows that are left empty are no mistake. */
export function check(values: Values): Record<string, string> {
  const wrong: Record<string, string> = {};
  const names = new Set<string>();
  values.rows.forEach((row, index) => {
    if (isEmpty(row)) return;
    const name = row.name.trim();
    if (name === "") wrong[`rows.${index}.name`] = "Say what this is.";
    else if (names.has(name)) wrong[`rows.${index}.name`] = "This name is there already.";
    else if (row.value.trim() === "") wrong[`rows.${index}.value`] = "Say what it is, or remove the row.";
    names.add(name);
  });
  return wrong;
}

export function changeOf(values: Values): MyConfigChange {
  const { locale, time_zone, reply_length } = values;
  const kept = values.rows.filter((row) => !isEmpty(row));
  const preferences = Object.fromEntries(
    kept.map((row) => {
      const same = row.stored !== undefined && String(row.stored) === row.value;
      return [row.name.trim(), same ? row.stored : row.value.trim()] as [string, Preference];
    }),
  );
  return { preferences, overrides: { locale, time_zone, reply_length, style: values.style.trim() || null } };
}

/** Reasons of the server at the fields of the form; null where one belongs to none of them. */
export function placed(fields: Record<string, string>, values: Values): Record<string, string> | null {
  const out: Record<string, string> = {};
  for (const [path, reason] of Object.entries(fields)) {
    const place = fieldOf(path, values);
    if (place === null) return null;
    out[place] = reason;
  }
  return Object.keys(out).length > 0 ? out : null;
}

function fieldOf(path: string, values: Values): string | null {
  const [part = "", ...rest] = path.split(".");
  if (part === "overrides" && ["style", "locale", "time_zone", "reply_length"].includes(rest[0] ?? "")) return rest[0] ?? null;
  if (part !== "preferences") return null;
  const isName = rest.at(-1) === "[key]";
  const name = (isName ? rest.slice(0, -1) : rest).join(".");
  const index = values.rows.findIndex((row) => row.name.trim() === name);
  return index < 0 ? null : `rows.${index}.${isName ? "name" : "value"}`;
}
