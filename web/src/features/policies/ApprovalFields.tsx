/** Which calls a person approves first, and who that is. */
import { ActionIcon, Button, Select, TagsInput, TextInput } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import type { ReactNode } from "react";

import { AskFields } from "./AskFields";
import { ORDER } from "./fields";
import type { Where } from "./form";
import classes from "./PolicyForm.module.css";
import type { Form } from "./useForm";
import { COMPARISONS } from "./words";

const CATEGORIES = ["external_email", "financial_transaction"];
const EMPTY: Where = { argument: "", is: "above", value: "", list: [] };
const PLACEHOLDERS: Record<Where["is"], string> = { above: "100", equal: "delete", one_of: "", not_one_of: "", matches: "*@example.com" };

export function ApprovalFields({ form }: { form: Form }) {
  const { where } = form.values.approval;
  return (
    <>
      <TagsInput
        label="Only calls about"
        description="What tools say they are about, such as external_email. Empty: anything this policy applies to."
        inputWrapperOrder={ORDER}
        data={CATEGORIES}
        acceptValueOnBlur
        placeholder={form.values.approval.categories.length === 0 ? "Anything" : undefined}
        {...form.getInputProps("approval.categories")}
      />
      {where.map((_, at) => (
        <Row key={at} form={form} at={at} />
      ))}
      {where.length < 20 ? (
        <div>
          <Button size="compact-sm" variant="default" onClick={() => form.insertListItem("approval.where", EMPTY)}>
            {where.length === 0 ? "Only where an argument is…" : "And where another argument is…"}
          </Button>
        </div>
      ) : null}
      <TextInput
        label="Only calls that may cost more than"
        description="Empty: whatever they cost. One of unknown price counts as such a call."
        inputWrapperOrder={ORDER}
        leftSection="$"
        inputMode="decimal"
        autoComplete="off"
        maw={320}
        {...form.getInputProps("approval.cost_above")}
      />
      <h3 className={classes.sub}>Who approves</h3>
      <AskFields form={form} />
    </>
  );
}

function Row({ form, at }: { form: Form; at: number }) {
  const path = `approval.where.${at}`;
  const is = form.values.approval.where[at]?.is ?? "above";
  const lists = is === "one_of" || is === "not_one_of";
  const list = form.getInputProps(`${path}.list`) as object;
  const value = form.getInputProps(`${path}.value`) as { error?: ReactNode };
  return (
    <fieldset className={classes.where}>
      <legend className={classes.unseen}>{`Condition ${at + 1}`}</legend>
      <TextInput label="Argument" placeholder="amount" autoComplete="off" spellCheck={false} {...form.getInputProps(`${path}.argument`)} />
      <Select label="Is" data={COMPARISONS} allowDeselect={false} {...form.getInputProps(`${path}.is`)} />
      {lists ? (
        <TagsInput label="Values" acceptValueOnBlur {...list} error={value.error} />
      ) : (
        <TextInput label="Value" placeholder={PLACEHOLDERS[is]} autoComplete="off" {...value} />
      )}
      <ActionIcon aria-label={`Remove condition ${at + 1}`} mt={23} onClick={() => form.removeListItem("approval.where", at)}>
        <IconX size={16} stroke={1.5} />
      </ActionIcon>
    </fieldset>
  );
}
