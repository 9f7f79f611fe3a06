import { Button, Group } from "@mantine/core";

import { showNotice } from "./notices";

const SECONDS = 8;

interface Undo {
  /** What has happened: "Message deleted." */
  message: string;
  /** Takes it back. */
  undo: () => void;
}

/** Says what has happened, and offers for eight seconds to take it back. */
export function offerUndo({ message, undo }: Undo): void {
  const takeBack = () => {
    hide();
    undo();
  };
  const hide = showNotice({
    autoClose: SECONDS * 1000,
    withCloseButton: true,
    message: <ConfirmUndo message={message} undo={takeBack} />,
  });
}

/** The words and the button inside the notice. */
export function ConfirmUndo({ message, undo }: Undo) {
  return (
    <Group justify="space-between" wrap="nowrap" gap="md">
      <span>{message}</span>
      <Button size="compact-sm" variant="default" onClick={undo}>
        Undo
      </Button>
    </Group>
  );
}
