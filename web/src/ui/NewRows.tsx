import { UnstyledButton } from "@mantine/core";

import classes from "./NewRows.module.css";

interface Props {
  count: number;
  /** Whether there are more than were looked at. */
  more: boolean;
  onShow: () => void;
}

/** Above rows that stay where they are: how many came since; they are shown when asked for. */
export function NewRows({ count, more, onShow }: Props) {
  const words = more && count >= 100 ? "100 or more new" : `${count} new`;
  return (
    <UnstyledButton className={classes.fresh} onClick={onShow}>
      {words}
    </UnstyledButton>
  );
}
