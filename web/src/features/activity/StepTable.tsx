/** The steps as a plain table: the same as the timeline, for those who would rather read. */
import { Table, UnstyledButton } from "@mantine/core";

import type { Interaction } from "@/api/interactions";
import { whyStepFailed } from "@/lib/reasons";
import { ofStep } from "@/lib/states";
import { between, clockExact, duration, exact } from "@/lib/time";
import { layout } from "@/lib/timeline";
import { CostCell } from "@/ui/CostCell";
import { StateDot } from "@/ui/StateDot";

import { stepAbout, stepTitle, toTimeline } from "./steps";
import classes from "./StepTable.module.css";

interface Props {
  interaction: Interaction;
  now: number;
  selected: number | null;
  onSelect: (seq: number) => void;
}

export function StepTable({ interaction, now, selected, onSelect }: Props) {
  const steps = new Map((interaction.steps ?? []).map((step) => [step.seq, step]));
  const rows = layout(toTimeline(interaction), now).rows.filter((row) => row.seq !== null);
  return (
    <div className={classes.scroller} tabIndex={0} role="region" aria-label="Steps as a table">
      <Table className={classes.table} verticalSpacing={6} horizontalSpacing={8}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">Step</Table.Th>
            <Table.Th scope="col">State</Table.Th>
            <Table.Th scope="col">Began</Table.Th>
            <Table.Th scope="col" data-align="right">Took</Table.Th>
            <Table.Th scope="col" data-align="right">Read</Table.Th>
            <Table.Th scope="col" data-align="right">Written</Table.Th>
            <Table.Th scope="col" data-align="right">Cost</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => {
            const step = steps.get(row.seq ?? -1);
            if (!step) return null;
            const why = whyStepFailed(step);
            return (
              <Table.Tr key={row.key} aria-selected={step.seq === selected}>
                <Table.Td style={{ paddingLeft: 8 + (row.depth - 1) * 20 }}>
                  <UnstyledButton className={classes.open} onClick={() => onSelect(step.seq)}>
                    {stepTitle(step)}
                  </UnstyledButton>
                  <span className={classes.about}>{why ?? stepAbout(step)}</span>
                </Table.Td>
                <Table.Td><StateDot {...ofStep(step)} /></Table.Td>
                <Table.Td>
                  {step.started_at ? <time dateTime={step.started_at} title={exact(step.started_at)}>{clockExact(step.started_at)}</time> : "–"}
                </Table.Td>
                <Table.Td data-align="right">{step.started_at ? duration(between(step.started_at, step.ended_at, now)) : "–"}</Table.Td>
                <Table.Td data-align="right">{step.input_tokens ? step.input_tokens.toLocaleString() : ""}</Table.Td>
                <Table.Td data-align="right">{step.output_tokens ? step.output_tokens.toLocaleString() : ""}</Table.Td>
                <Table.Td data-align="right">{step.cost?.amount_micro !== 0 ? <CostCell cost={step.cost} /> : ""}</Table.Td>
              </Table.Tr>
            );
          })}
        </Table.Tbody>
      </Table>
    </div>
  ); // prettier-ignore
}
