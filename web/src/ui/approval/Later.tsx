import { Checkbox, NativeSelect, TextInput } from "@mantine/core";

import type { Approval } from "@/api/approvals";
import { label } from "@/lib/format";
import { type LaterValues, dateOf, ENDS } from "@/lib/standing";

import classes from "./Approval.module.css";

export { grantOf, OFF, type LaterValues } from "@/lib/standing";

interface Props {
  values: LaterValues;
  onChange: (values: LaterValues) => void;
  approval: Approval;
  me: string | null;
  error: string | undefined;
}

/** Whether the approval is to stand for later calls, too: for which, and until when. */
export function Later({ values, onChange, approval, me, error }: Props) {
  const set = (some: Partial<LaterValues>) => onChange({ ...values, ...some });
  const person = approval.user_id === me ? "you" : (approval.user_name ?? "the same person");
  return (
    <div className={classes.later}>
      <Checkbox
        size="sm"
        label={`Also for later calls of ${label(approval.tool ?? "this tool")}`}
        checked={values.on}
        onChange={(event) => set({ on: event.currentTarget.checked })}
      />
      {values.on && (
        <div className={classes.laterMore}>
          <div className={classes.when}>
            <NativeSelect label="Until" data={ENDS} value={values.end} error={values.end === "date" ? undefined : error}
              onChange={(event) => set({ end: event.currentTarget.value })} />
            {values.end === "date" && (
              <TextInput type="date" label="The end of" value={values.date} min={dateOf(0)} max={dateOf(364)} error={error}
                onChange={(event) => set({ date: event.currentTarget.value })} />
            )}
          </div>
          {approval.channel_id && (
            <Checkbox label={`Only in ${approval.channel_name ?? "this channel"}`} checked={values.channel}
              onChange={(event) => set({ channel: event.currentTarget.checked })} />
          )}
          {approval.user_id && (
            <Checkbox label={`Only when it is for ${person}`} checked={values.person}
              onChange={(event) => set({ person: event.currentTarget.checked })} />
          )}
          <Checkbox label="Only with exactly these arguments" checked={values.exact}
            onChange={(event) => set({ exact: event.currentTarget.checked })} />
        </div>
      )}
    </div>
  ); // prettier-ignore
}
