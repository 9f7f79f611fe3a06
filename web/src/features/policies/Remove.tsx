import { Button } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";

import { useDeletePolicy, useRestorePolicy, type Policy } from "@/api/policies";
import { offerUndo } from "@/ui/ConfirmUndo";
import { notifyError } from "@/ui/notify";

import { Section } from "./fields";
import classes from "./PolicyForm.module.css";

interface Props {
  policy: Policy;
  /** It is removed: nothing is left to be saved. */
  onGone: () => void;
}

/** Taking a policy away, which can be taken back. */
export function Remove({ policy, onGone }: Props) {
  const navigate = useNavigate();
  const remove = useDeletePolicy();
  const restore = useRestorePolicy();
  const { id, name, version } = policy;
  function onRemove(): void {
    remove.mutate(
      { id, version },
      {
        onSuccess: () => {
          onGone();
          const undo = () =>
            restore.mutate({ id, version }, { onError: (error) => notifyError(error, `Couldn't bring “${name}” back`) });
          offerUndo({ message: `“${name}” is removed.`, undo });
          void navigate({ to: "/policies" });
        },
        onError: (error) => notifyError(error, `Couldn't remove “${name}”`),
      },
    );
  }
  return (
    <Section title="Remove">
      <div className={classes.danger}>
        <div className={classes.dangerText}>
          <div>Remove this policy</div>
          <div className={classes.dim}>It stops to hold at once. Its history stays, and you can bring it back.</div>
        </div>
        <Button variant="outline" color="red" loading={remove.isPending} onClick={onRemove}>
          Remove
        </Button>
      </div>
    </Section>
  );
}
