import { ActionIcon, FileButton } from "@mantine/core";
import { IconArrowUp, IconPaperclip, IconPlayerStopFilled } from "@tabler/icons-react";
import { memo } from "react";

import classes from "./Composer.module.css";
import { useMyTurns } from "./useMyTurns";

interface Props {
  channelId: string;
  replyTo: string | null;
  ready: boolean;
  empty: boolean;
  /** Why it cannot be sent yet. */
  note: string | null;
  onFiles: (files: readonly File[]) => void;
  onSend: () => void;
}

/** Under the text: files, and Send. While a turn of one's own runs and nothing is written, Stop stands in its place. */
export const ComposerActions = memo(function ComposerActions(props: Props) {
  const { channelId, replyTo, ready, empty, note, onFiles, onSend } = props;
  const { running, stop } = useMyTurns(channelId, replyTo);
  return (
    <div className={classes.actions}>
      <FileButton multiple onChange={onFiles}>
        {(button) => (
          <ActionIcon {...button} aria-label="Add files" data-tip="Add files" className={classes.action}>
            <IconPaperclip size={18} stroke={1.5} />
          </ActionIcon>
        )}
      </FileButton>
      <span className={classes.note} role="status">
        {note}
      </span>
      {running && (
        <ActionIcon aria-label="Stop" data-tip="Stop the answer" variant="default" className={classes.action} onClick={stop}>
          <IconPlayerStopFilled size={16} />
        </ActionIcon>
      )}
      {!(running && empty) && (
        <ActionIcon
          aria-label="Send"
          data-tip={ready ? "Send (Enter)" : undefined}
          variant="filled"
          color="accent"
          className={classes.action}
          disabled={!ready}
          onClick={onSend}
        >
          <IconArrowUp size={18} stroke={2} />
        </ActionIcon>
      )}
    </div>
  );
});
