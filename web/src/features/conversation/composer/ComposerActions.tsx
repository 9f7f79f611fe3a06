import { ActionIcon, FileButton, Tooltip } from "@mantine/core";
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
          <Tooltip label="Add files">
            <ActionIcon {...button} aria-label="Add files" className={classes.action}>
              <IconPaperclip size={18} stroke={1.5} />
            </ActionIcon>
          </Tooltip>
        )}
      </FileButton>
      <span className={classes.note} role="status">
        {note}
      </span>
      {running && (
        <Tooltip label="Stop the answer">
          <ActionIcon aria-label="Stop" variant="default" className={classes.action} onClick={stop}>
            <IconPlayerStopFilled size={16} />
          </ActionIcon>
        </Tooltip>
      )}
      {!(running && empty) && (
        <Tooltip label="Send (Enter)" disabled={!ready}>
          <ActionIcon
            aria-label="Send"
            variant="filled"
            color="accent"
            className={classes.action}
            disabled={!ready}
            onClick={onSend}
          >
            <IconArrowUp size={18} stroke={2} />
          </ActionIcon>
        </Tooltip>
      )}
    </div>
  );
});
