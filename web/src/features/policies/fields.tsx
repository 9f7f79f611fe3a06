/** Fields that several kinds of rule share. */
import { Group, MultiSelect, NumberInput, Select, TagsInput } from "@mantine/core";
import { useMemo, type ReactNode } from "react";

import { useTools } from "@/api/tools";
import { label } from "@/lib/format";
import { zones } from "@/lib/places";

import type { Unit } from "./form";
import classes from "./PolicyForm.module.css";
import type { Form } from "./useForm";

export const ORDER: ("label" | "input" | "description" | "error")[] = ["label", "input", "description", "error"];

interface SectionProps {
  title: string;
  help?: ReactNode;
  children: ReactNode;
}

/** A part of the form with its heading. */
export function Section({ title, help, children }: SectionProps) {
  return (
    <section className={classes.section} aria-label={title}>
      <div>
        <h2 className={classes.heading}>{title}</h2>
        {help ? <p className={classes.help}>{help}</p> : null}
      </div>
      {children}
    </section>
  );
}

interface PickProps {
  form: Form;
  path: string;
  label: string;
  help?: string;
  placeholder?: string;
}

/** Tools by name; a name with * stands for several. */
export function ToolsPick({ form, path, label: title, help, placeholder = "Any tool" }: PickProps) {
  const tools = useTools().data;
  const about = useMemo(() => new Map(tools?.map((tool) => [tool.slug, tool])), [tools]);
  const props = form.getInputProps(path) as { value: string[] };
  return (
    <TagsInput
      label={title}
      description={help}
      inputWrapperOrder={ORDER}
      data={[...about.keys()]}
      maxDropdownHeight={280}
      renderOption={({ option }) => (
        <div className={classes.option}>
          <div>{about.get(option.value)?.name ?? label(option.value)}</div>
          <div className={classes.dim}>{option.value}</div>
        </div>
      )}
      acceptValueOnBlur
      placeholder={props.value.length === 0 ? placeholder : undefined}
      {...props}
    />
  );
}

interface ChooseProps extends PickProps {
  /** What there is to choose from. */
  data: readonly { id: string; name: string }[] | undefined;
  /** What one that is not among them is called. */
  gone: string;
}

/** Things by name; those that are gone stay until they are taken out. */
export function NamesPick({ form, path, label: title, help, placeholder, data, gone }: ChooseProps) {
  const props = form.getInputProps(path) as { value: string[]; onChange: (value: string[]) => void };
  const options = useMemo(() => {
    const known = (data ?? []).map(({ id, name }) => ({ value: id, label: name }));
    const missing = props.value.filter((id) => !known.some((one) => one.value === id));
    return [...known, ...missing.map((id) => ({ value: id, label: data ? gone : "…" }))];
  }, [data, gone, props.value]);
  return (
    <MultiSelect
      label={title}
      description={help}
      inputWrapperOrder={ORDER}
      data={options}
      searchable
      hidePickedOptions
      maxDropdownHeight={280}
      nothingFoundMessage="None of that name"
      placeholder={props.value.length === 0 ? placeholder : undefined}
      {...props}
    />
  );
}

const UNITS: Record<Unit, string> = { second: "seconds", minute: "minutes", hour: "hours", day: "days" };

interface SpanProps {
  form: Form;
  /** Of the object that has `span` and `unit`. */
  path: "ask" | "rate";
  label: string;
  units: readonly Unit[];
}

/** So many of a unit of time. */
export function SpanField({ form, path, label: title, units }: SpanProps) {
  return (
    <Group gap="sm" align="flex-start" wrap="nowrap">
      <NumberInput label={title} min={1} allowDecimal={false} w={140} {...form.getInputProps(`${path}.span`)} />
      <Select
        aria-label={`${title}, unit`}
        mt={21}
        data={units.map((unit) => ({ value: unit, label: UNITS[unit] }))}
        allowDeselect={false}
        w={120}
        {...form.getInputProps(`${path}.unit`)}
      />
    </Group>
  );
}

export function ZoneField({ form, path }: { form: Form; path: "time.time_zone" | "cost.time_zone" }) {
  const props = form.getInputProps(path) as { value: string };
  const data = useMemo(() => zones(props.value), [props.value]);
  return <Select label="Time zone" data={data} searchable allowDeselect={false} maxDropdownHeight={280} {...props} />;
}
