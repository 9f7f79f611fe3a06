/** The arguments of a call that is asked about: a field for each of the tool's, or all of them as JSON. */
import { Checkbox, NativeSelect, SegmentedControl, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";

import { argumentsOf, type Arguments, type Field, fieldsOf, parseArguments, valuesOf, type Values } from "@/lib/argumentForm";

import { ORDER } from "./fields";
import classes from "./ExplainPage.module.css";

interface Props {
  /** The tool's own description of its arguments; null where that is not known. */
  schema: Record<string, unknown> | null;
  given: Arguments;
  /** With every change that can be read. */
  onChange: (given: Arguments) => void;
}

export function ArgumentFields({ schema, given, onChange }: Props) {
  const [as, setAs] = useState<"fields" | "json">(schema ? "fields" : "json");
  const [base, setBase] = useState(given);
  const [text, setText] = useState(() => JSON.stringify(given, null, 2));
  const [values, setValues] = useState<Values>(() => valuesOf(fieldsOf(schema ?? {}, given), given));
  const fields = fieldsOf(schema ?? {}, base);
  const read = argumentsOf(fields, values, base);
  const wrong = parseArguments(text) ? undefined : "This is not a JSON object.";
  const unreadable = (field: Field) => (read.errors[field.name] === "This is needed." ? undefined : read.errors[field.name]);

  function change(next: Values): void {
    setValues(next);
    onChange(argumentsOf(fields, next, base).arguments);
  }
  function write(next: string): void {
    setText(next);
    const found = parseArguments(next);
    if (found) onChange(found);
  }
  function turn(next: string): void {
    if (next === "json") setText(JSON.stringify(read.arguments, null, 2));
    else {
      const found = parseArguments(text);
      if (!found) return;
      setBase(found);
      setValues(valuesOf(fieldsOf(schema ?? {}, found), found));
    }
    setAs(next as "fields" | "json");
  }
  if (schema && as === "fields" && fields.length === 0) return <p className={classes.quiet}>It takes no arguments.</p>;
  return (
    <fieldset className={classes.arguments}>
      <legend className={classes.legend}>With</legend>
      {schema ? (
        <SegmentedControl size="xs" value={as} onChange={turn} aria-label="Write the arguments as"
          data={[{ value: "fields", label: "Fields" }, { value: "json", label: "JSON" }]} />
      ) : null}
      {as === "json" ? (
        <Textarea aria-label="Arguments as JSON" className={classes.code} autosize minRows={4} maxRows={16} spellCheck={false}
          value={text} error={wrong} onChange={(event) => write(event.currentTarget.value)} />
      ) : (
        fields.map((field) => (
          <One key={field.name} field={field} value={values[field.name] ?? ""} error={unreadable(field)}
            onChange={(value) => change({ ...values, [field.name]: value })} />
        ))
      )}
    </fieldset>
  ); // prettier-ignore
}

interface OneProps {
  field: Field;
  value: string | boolean;
  error: string | undefined;
  onChange: (value: string | boolean) => void;
}

function One({ field, value, error, onChange }: OneProps) {
  const lines = field.kind === "lines" ? "One on each line." : "";
  const help = [field.help, lines].filter(Boolean).join(" ");
  const shared = { label: field.label, description: help || undefined, inputWrapperOrder: ORDER, error };
  if (field.kind === "yes_no") {
    return (
      <Checkbox label={field.label} description={help || undefined} checked={value === true} onChange={(event) => onChange(event.currentTarget.checked)} />
    ); // prettier-ignore
  }
  const text = String(value);
  switch (field.kind) {
    case "choice":
      return (
        <NativeSelect {...shared} data={[{ value: "", label: "Not given" }, ...field.choices]} value={text}
          onChange={(event) => onChange(event.currentTarget.value)} />
      ); // prettier-ignore
    case "text":
    case "lines":
    case "json":
      return <Textarea {...shared} autosize minRows={2} maxRows={10} value={text} onChange={(event) => onChange(event.currentTarget.value)} />;
    default:
      return (
        <TextInput {...shared} autoComplete="off" inputMode={field.kind === "number" ? "decimal" : "text"} value={text}
          onChange={(event) => onChange(event.currentTarget.value)} />
      ); // prettier-ignore
  }
}
