/** Changing what a call would use before approving it: a field for each argument, or all of it as JSON. */
import { Button, Checkbox, NativeSelect, SegmentedControl, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";

import type { Approval } from "@/api/approvals";
import { useTools } from "@/api/tools";
import { argumentsOf, type Arguments, type Field, fieldsOf, parseArguments, placed, type Read, valuesOf, type Values } from "@/lib/argumentForm";
import { ListSkeleton } from "@/ui/ListSkeleton";

import classes from "./Approval.module.css";

interface Props {
  approval: Approval;
  /** The server's reasons against what was sent, by path. */
  wrong: Record<string, string>;
  busy: boolean;
  onCancel: () => void;
  /** With the hash of the arguments that were changed: those that stood there when this was opened. */
  onSave: (changed: Arguments, hash: string) => void;
}

export default function EditArguments(props: Props) {
  const tools = useTools();
  if (tools.isPending) return <ListSkeleton rows={3} label="Loading the form" />;
  const schema = tools.data?.find((tool) => tool.slug === props.approval.tool)?.parameters ?? null;
  return <Form {...props} schema={schema} />;
}

function Form({ approval, wrong, busy, onCancel, onSave, schema }: Props & { schema: Record<string, unknown> | null }) {
  const [base] = useState(approval); // what others change meanwhile is not taken in unseen: the hash tells
  const [given, setGiven] = useState<Arguments>(base.arguments ?? {});
  const [fields, setFields] = useState(() => fieldsOf(schema ?? {}, given));
  const [values, setValues] = useState<Values>(() => valuesOf(fields, given));
  const [text, setText] = useState(() => JSON.stringify(given, null, 2));
  const [as, setAs] = useState<"fields" | "json">(schema ? "fields" : "json");
  const [errors, setErrors] = useState<Record<string, string>>({});
  const refused = placed(wrong, as === "fields" ? fields : []);

  function turn(next: string): void {
    if (next === as) return;
    const wrong = next === "json" ? toJson() : toFields();
    setErrors(wrong);
  }
  function toJson(): Record<string, string> {
    const read = argumentsOf(fields, values, given);
    if (Object.keys(read.errors).length > 0) return read.errors;
    setText(JSON.stringify(read.arguments, null, 2));
    setAs("json");
    return {};
  }
  function toFields(): Record<string, string> {
    const found = parseArguments(text);
    if (!found) return NOT_JSON;
    const made = fieldsOf(schema ?? {}, found);
    setGiven(found);
    setFields(made);
    setValues(valuesOf(made, found));
    setAs("fields");
    return {};
  }
  function save(): void {
    const read = as === "json" ? readText(text) : argumentsOf(fields, values, given);
    setErrors(read.errors);
    if (Object.keys(read.errors).length === 0) onSave(read.arguments, base.arguments_hash);
  }

  return (
    <form className={classes.form} noValidate aria-label="Change the arguments" onSubmit={(event) => { event.preventDefault(); save(); }}>
      {schema && (
        <div className={classes.formHead}>
          <SegmentedControl size="xs" value={as} onChange={turn} aria-label="Change them as"
            data={[{ value: "fields", label: "Fields" }, { value: "json", label: "JSON" }]} />
        </div>
      )}
      {as === "json" ? (
        <Textarea label="Arguments as JSON" className={classes.code ?? ""} autoFocus autosize minRows={4} maxRows={18} spellCheck={false}
          value={text} error={errors[""] ?? refused[""]} onChange={(event) => setText(event.currentTarget.value)} />
      ) : (
        fields.map((field, place) => (
          <One key={field.name} field={field} first={place === 0} value={values[field.name] ?? ""} error={errors[field.name] ?? refused[field.name]}
            onChange={(value) => setValues({ ...values, [field.name]: value })} />
        ))
      )}
      {as === "fields" && refused[""] && <p role="alert" className={classes.notice}>{refused[""]}</p>}
      <div className={classes.buttons}>
        <Button size="compact-md" type="submit" loading={busy}>Approve with these</Button>
        <Button size="compact-md" variant="default" onClick={onCancel}>Cancel</Button>
      </div>
    </form>
  ); // prettier-ignore
}

const NOT_JSON = { "": "This is not a JSON object." };

function readText(text: string): Read {
  const found = parseArguments(text);
  return found ? { arguments: found, errors: {} } : { arguments: {}, errors: NOT_JSON };
}

interface OneProps {
  field: Field;
  first: boolean;
  value: string | boolean;
  error: string | undefined;
  onChange: (value: string | boolean) => void;
}

function One({ field, first, value, error, onChange }: OneProps) {
  const shared = { label: field.label, description: field.help || undefined, error, autoFocus: first, withAsterisk: field.required };
  if (field.kind === "yes_no") {
    return <Checkbox {...shared} checked={value === true} onChange={(event) => onChange(event.currentTarget.checked)} />;
  }
  const text = String(value);
  switch (field.kind) {
    case "choice":
      return (
        <NativeSelect {...shared} value={text} onChange={(event) => onChange(event.currentTarget.value)}
          data={[...(field.required && text !== "" ? [] : [{ value: "", label: "Not given" }]), ...field.choices]} />
      ); // prettier-ignore
    case "text":
    case "lines":
    case "json":
      return (
        <Textarea {...shared} className={field.kind === "json" ? (classes.code ?? "") : ""} autosize minRows={2} maxRows={14} value={text}
          description={field.kind === "lines" ? [field.help, "One on each line."].filter(Boolean).join(" ") : shared.description}
          onChange={(event) => onChange(event.currentTarget.value)} />
      ); // prettier-ignore
    default:
      return (
        <TextInput {...shared} value={text} inputMode={field.kind === "number" ? "decimal" : "text"}
          onChange={(event) => onChange(event.currentTarget.value)} />
      ); // prettier-ignore
  }
}
