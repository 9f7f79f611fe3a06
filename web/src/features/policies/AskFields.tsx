/** Who decides: one group of people or several, all of which must agree; how long they have; what then. */
import { Button, Checkbox, NumberInput, Select } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";

import { useUsers } from "@/api/users";

import { NamesPick, SpanField } from "./fields";
import { BLANK_PANEL } from "./form";
import classes from "./PolicyForm.module.css";
import type { Form } from "./useForm";

export const DECIDERS = [
  { value: "owner", label: "Owners" },
  { value: "admin", label: "Admins and owners" },
  { value: "lead", label: "Leads, admins and owners" },
  { value: "member", label: "Anyone in the account" },
  { value: "none", label: "Only those named below" },
];

export function AskFields({ form }: { form: Form }) {
  const { panels } = form.values.ask;
  const add = () => form.insertListItem("ask.panels", BLANK_PANEL);
  return (
    <>
      {panels.map((_, at) => (
        <fieldset key={at} className={classes.group}>
          <legend className={panels.length > 1 ? classes.legend : classes.unseen}>{at === 0 ? "Who decides" : "And also"}</legend>
          <PanelFields form={form} path={`ask.panels.${at}`} />
          {panels.length > 1 ? (
            <Button size="compact-sm" variant="subtle" color="gray" onClick={() => form.removeListItem("ask.panels", at)}>
              Remove this group
            </Button>
          ) : null}
        </fieldset>
      ))}
      {panels.length < 5 ? (
        <div>
          <Button size="compact-sm" variant="subtle" color="gray" leftSection={<IconPlus size={14} stroke={1.5} />} onClick={add}>
            Another group that must agree, too
          </Button>
        </div>
      ) : null}
      <div className={classes.pair}>
        <SpanField form={form} path="ask" label="Within" units={["minute", "hour", "day"]} />
        <Select
          label="When nobody has decided by then"
          data={[
            { value: "reject", label: "It is rejected" },
            { value: "approve", label: "It goes ahead" },
          ]}
          allowDeselect={false}
          {...form.getInputProps("ask.on_expiry")}
        />
      </div>
      <Checkbox
        label="An approval may stand for later calls, too"
        description="Whoever approves may say for how long and how far."
        {...form.getInputProps("ask.grants", { type: "checkbox" })}
      />
    </>
  );
}

interface PanelProps {
  form: Form;
  path: string;
}

function PanelFields({ form, path }: PanelProps) {
  const people = useUsers().data;
  const at = Number(path.split(".").at(-1));
  const panel = form.values.ask.panels[at];
  return (
    <>
      <div className={classes.pair}>
        <Select label="Who may decide" data={DECIDERS} allowDeselect={false} {...form.getInputProps(`${path}.role`)} />
        <NumberInput
          label="How many of them"
          min={1}
          max={10}
          allowDecimal={false}
          {...form.getInputProps(`${path}.quorum`)}
        />
      </div>
      <NamesPick
        form={form}
        path={`${path}.users`}
        label={panel?.role === "none" ? "People" : "And these people"}
        placeholder={panel?.role === "none" ? "Choose people" : "Nobody else"}
        data={people}
        gone="somebody who is gone"
      />
      <Checkbox
        label="Never the person the agent works for"
        description="Four eyes: somebody else has to look at it."
        {...form.getInputProps(`${path}.four_eyes`, { type: "checkbox" })}
      />
      {panel?.four_eyes ? null : (
        <Checkbox
          label="The person the agent works for may decide, too"
          {...form.getInputProps(`${path}.requester`, { type: "checkbox" })}
        />
      )}
    </>
  );
}
