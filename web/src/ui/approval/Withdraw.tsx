import { Button } from "@mantine/core";

import { useWithdraw, type Approval } from "@/api/approvals";
import { ApiError } from "@/api/client";

interface Props {
  approval: Approval;
  onNotice: (words: string | null) => void;
  className?: string | undefined;
}

/** Takes a request back. It can be asked for again, so nobody is asked whether they are sure. */
export function Withdraw({ approval, onNotice, className }: Props) {
  const withdraw = useWithdraw(approval.id);
  const take = () => {
    onNotice(null);
    withdraw.mutate(undefined, { onError: (error) => onNotice(late(error) ?? "Couldn't withdraw it. Try again in a moment.") });
  };
  return (
    <Button size="compact-sm" variant="subtle" color="gray" loading={withdraw.isPending} onClick={take} {...(className ? { className } : {})}>
      Withdraw
    </Button>
  );
}

/** What the server says of a decision that did not count; null for what is no answer of its own. */
export function late(error: unknown): string | null {
  if (!(error instanceof ApiError)) return null;
  return error.code === "already_decided" ? "That was decided already, so your word was not counted." : error.detail;
}
