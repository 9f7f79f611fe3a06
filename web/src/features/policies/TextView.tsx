/** The policy as text, for those who would rather write it: YAML or JSON, as it is kept in git. */
import { Textarea } from "@mantine/core";

import classes from "./PolicyForm.module.css";

interface Props {
  text: string;
  label: string;
  error: string | undefined;
  readOnly?: boolean;
  onChange: (text: string) => void;
}

export function TextView({ text, label, error, readOnly = false, onChange }: Props) {
  return (
    <Textarea
      label={label}
      description={readOnly ? undefined : "Agents and channels by their short names or ids, people by e-mail or id."}
      className={classes.code}
      autosize
      minRows={12}
      maxRows={40}
      spellCheck={false}
      autoCorrect="off"
      autoCapitalize="off"
      readOnly={readOnly}
      value={text}
      error={error}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
