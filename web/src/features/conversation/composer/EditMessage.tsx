import { Button } from "@mantine/core";
import { useEffect, useRef, useState, type KeyboardEvent } from "react";

import { ApiError } from "@/api/client";
import { useEditMessage, type Message } from "@/api/messages";

import classes from "./EditMessage.module.css";

interface Props {
  message: Message;
  onDone: () => void;
}

/** A message of one's own, edited where it stands. Enter saves, Esc leaves it as it was. */
export function EditMessage({ message, onDone }: Props) {
  const [text, setText] = useState(message.content);
  const box = useRef<HTMLTextAreaElement>(null);
  const edit = useEditMessage(message.channel_id);
  useEffect(() => {
    const own = box.current;
    own?.focus();
    own?.setSelectionRange(own.value.length, own.value.length);
    own?.scrollIntoView({ block: "nearest" });
  }, []);

  const done = () => {
    onDone();
    document.querySelector<HTMLElement>("[data-composer]")?.focus();
  };
  const save = () => {
    const content = text.trim();
    if (!content || edit.isPending) return;
    if (content === message.content) done();
    else edit.mutate({ messageId: message.id, content }, { onSuccess: done });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      done();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      save();
    }
  };
  const reason = edit.error instanceof ApiError ? edit.error.detail : edit.error ? "Couldn't save. Try again." : null;
  return (
    <div className={classes.edit}>
      <textarea
        ref={box}
        className={classes.text}
        value={text}
        rows={1 + (text.match(/\n/g)?.length ?? 0)}
        aria-label="Edit your message"
        aria-invalid={reason !== null || undefined}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
      />
      {reason && (
        <p className={classes.error} role="alert">
          {reason}
        </p>
      )}
      <div className={classes.actions}>
        <Button size="xs" onClick={save} loading={edit.isPending} disabled={text.trim() === ""}>
          Save
        </Button>
        <Button size="xs" variant="default" onClick={done}>
          Cancel
        </Button>
      </div>
    </div>
  );
}
