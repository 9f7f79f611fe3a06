import { ActionIcon, Button, Checkbox, Group, NumberInput, Select, TagsInput } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { type KeyboardEvent, useState } from "react";

import { useAgentTools, type Agent } from "@/api/agents";
import { ApiError } from "@/api/client";
import { useRestrict, type Assignment } from "@/api/registry";
import { useTools } from "@/api/tools";
import { label } from "@/lib/format";

import classes from "./Access.module.css";
import { actionsOf, newRow, restrictionsOf, rowsOf, type Row } from "./restrictions";

interface Props {
  agent: Agent;
  one: Assignment;
  name: string;
  onDone: () => void;
}

/** What the agent's tools may not do for those it is assigned to. It can only take away. */
export function Restrictions({ agent, one, name, onDone }: Props) {
  const [rows, setRows] = useState<readonly Row[]>(() => rowsOf(one.tool_restrictions));
  const restrict = useRestrict(agent.id);
  const own = useAgentTools(agent.id).data ?? [];
  const slugs = [...new Set([...own.map(({ tool }) => tool), ...agent.delegation_set])];
  const left = slugs.filter((slug) => !rows.some((row) => row.tool === slug));
  const set = (at: number, some: Partial<Row>) => setRows(rows.map((row, place) => (place === at ? { ...row, ...some } : row)));
  const save = () => restrict.mutate({ id: one.id, tool_restrictions: restrictionsOf(rows) }, { onSuccess: onDone });
  const leave = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault();
    onDone();
  };
  const reasons = restrict.error instanceof ApiError ? restrict.error.fields() : {};
  return (
    <form className={classes.form} aria-label={`Tools for ${name}`} onKeyDown={leave} noValidate
      onSubmit={(event) => { event.preventDefault(); save(); }}>
      {rows.length === 0 && <p className={classes.note}>Nothing is taken away here.</p>}
      {rows.map((row, at) => (
        <One key={row.tool} row={row} error={reasons[`tool_restrictions.${row.tool}`]} onChange={(some) => set(at, some)}
          onRemove={() => setRows(rows.filter((_, place) => place !== at))} />
      ))}
      {left.length > 0 && (
        <Select maw={320} aria-label="Restrict a tool" placeholder="Restrict a tool…" searchable nothingFoundMessage="No such tool" value={null}
          data={left.map((slug) => ({ value: slug, label: label(slug) }))} onChange={(slug) => slug && setRows([...rows, newRow(slug)])} />
      )}
      {restrict.isError && Object.keys(reasons).length === 0 && (
        <p role="alert" className={classes.wrong}>{restrict.error instanceof ApiError ? restrict.error.detail : "Couldn't save it."}</p>
      )}
      <Group gap="sm">
        <Button size="xs" type="submit" loading={restrict.isPending}>Save</Button>
        <Button size="xs" variant="default" onClick={onDone}>Cancel</Button>
      </Group>
    </form>
  ); // prettier-ignore
}

interface OneProps {
  row: Row;
  error: string | undefined;
  onChange: (some: Partial<Row>) => void;
  onRemove: () => void;
}

function One({ row, error, onChange, onRemove }: OneProps) {
  const tool = useTools().data?.find((known) => known.slug === row.tool);
  const actions = actionsOf(tool?.parameters);
  const name = label(row.tool);
  const able = actions !== null || row.narrowed || row.denied.length > 0;
  return (
    <div className={classes.tool} role="group" aria-label={name}>
      <div className={classes.toolHead}>
        <strong>{name}</strong>
        <ActionIcon aria-label={`Lift what is restricted of ${name}`} onClick={onRemove}>
          <IconX size={18} stroke={1.5} />
        </ActionIcon>
      </div>
      <Checkbox label="Blocked: not to be used at all" checked={row.blocked} onChange={(event) => onChange({ blocked: event.currentTarget.checked })} />
      {!row.blocked && (
        <>
          {able && <Checkbox label="Only some actions" checked={row.narrowed} onChange={(event) => onChange({ narrowed: event.currentTarget.checked })} />}
          {row.narrowed && <TagsInput label="Only these actions" data={actions ?? []} value={row.allowed} onChange={(allowed) => onChange({ allowed })} />}
          {able && <TagsInput label="Not these actions" data={actions ?? []} value={row.denied} onChange={(denied) => onChange({ denied })} />}
          <NumberInput maw={200} label="Calls in one turn, at most" min={0} allowDecimal={false} value={row.calls}
            onChange={(value) => onChange({ calls: typeof value === "number" ? value : "" })} />
        </>
      )}
      {error && <p role="alert" className={classes.wrong}>{error}</p>}
    </div>
  ); // prettier-ignore
}
