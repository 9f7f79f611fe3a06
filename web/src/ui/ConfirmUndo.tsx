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

interface Deferred {
  /** What is about to be final: "Message deleted." */
  message: string;
  /** Does it, for good; called when the time is over or the page is left. */
  commit: () => void;
  /** Shows again what was hidden. */
  undo: () => void;
}

/** For what the server cannot take back: hide it now, do it after eight seconds unless somebody wants it back. */
export function deferWithUndo({ message, commit, undo }: Deferred): void {
  let settled = false;
  const settle = (then: () => void) => {
    if (settled) return;
    settled = true;
    clearTimeout(timer);
    window.removeEventListener("pagehide", finish);
    then();
  };
  const finish = () => settle(commit);
  const timer = setTimeout(finish, SECONDS * 1000);
  window.addEventListener("pagehide", finish);
  offerUndo({ message, undo: () => settle(undo) });
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
