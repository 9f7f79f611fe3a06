import { Button } from "@mantine/core";
import { useCallback, useMemo, useRef, useState, type KeyboardEvent } from "react";

import { useChannel, useUpdateChannel } from "@/api/channels";
import { useMe } from "@/api/me";
import { useSendMessage } from "@/api/outbox";
import { useSayTyping } from "@/api/typing";
import { draftKey, loadDraft } from "@/lib/draft";
import { shorten } from "@/lib/format";
import { notifyError } from "@/ui/notify";

import { filesOf, isUploading, readyFiles } from "./attachments";
import { AttachmentTray } from "./AttachmentTray";
import classes from "./Composer.module.css";
import { ComposerActions } from "./ComposerActions";
import { MentionList, optionId } from "./MentionList";
import { TypingLine } from "./TypingLine";
import { useAttachments } from "./useAttachments";
import { useDraft } from "./useDraft";
import { useEditLast } from "./useEditLast";
import { useFileDrop } from "./useFileDrop";
import { useAccents, useMentionables } from "./useMentionables";
import { useMentions } from "./useMentions";
import { useTextBox } from "./useTextBox";

interface Props {
  channelId: string;
  /** The message whose thread this writes to. */
  replyTo?: string | null;
  autoFocus?: boolean;
}

/** Where a message is written. What is typed stays in here: a keypress renders this and nothing else. */
export function Composer({ channelId, replyTo = null, autoFocus = false }: Props) {
  const channel = useChannel(channelId).data;
  const me = useMe().data?.user.id;
  if (channel?.archived_at) return <Archived channelId={channelId} />;
  if (!me) return <div className={classes.place} />;
  const place = replyTo ? "Reply in this thread" : channel ? `Message ${channel.name}` : "Message";
  const key = draftKey(me, channelId, replyTo);
  return <Writing key={key} draft={key} place={place} {...{ channelId, replyTo, autoFocus }} />;
}

function Archived({ channelId }: { channelId: string }) {
  const { mutate, isPending } = useUpdateChannel(channelId);
  const restore = () =>
    mutate({ archived: false }, { onError: (error) => notifyError(error, "Couldn't restore the channel") });
  return (
    <div className={classes.place}>
      <div className={classes.archived}>
        <span>This channel is archived: it can be read, not written to.</span>
        <Button size="xs" variant="default" loading={isPending} onClick={restore}>
          Restore
        </Button>
      </div>
    </div>
  );
}

const MAX_BYTES = 256 * 1024;
const encoder = new TextEncoder();

interface WritingProps extends Required<Props> {
  draft: string;
  place: string;
}

function Writing({ channelId, replyTo, autoFocus, draft, place }: WritingProps) {
  const [kept] = useState(() => loadDraft(draft));
  const [text, setText] = useState(kept.text);
  const [caret, setCaret] = useState(kept.text.length);
  const { ref: box, putCaret, focus } = useTextBox(text);
  const root = useRef<HTMLDivElement>(null);
  const files = useAttachments(kept.files);
  const send = useSendMessage(channelId);
  const sayTyping = useSayTyping(channelId);
  const editLast = useEditLast(channelId, replyTo);

  useDraft(draft, useMemo(() => ({ text, files: readyFiles(files.items) }), [text, files.items]));
  const replace = (next: string, at: number) => {
    setText(next);
    setCaret(at);
    putCaret(at);
  };
  const mentions = useMentions({ text, caret, everyone: useMentionables(channelId), replace });
  const accents = useAccents();

  const tooLong = text.length * 3 > MAX_BYTES && encoder.encode(text).length > MAX_BYTES;
  const unready = files.items.some((one) => one.state !== "ready");
  const ready = (text.trim() !== "" || files.items.length > 0) && !unready && !tooLong;
  const submit = () => {
    if (!ready) return;
    send({ content: text.trim(), replyTo, files: readyFiles(files.items) });
    files.clear();
    replace("", 0);
    focus();
  };
  const { add } = files;
  const addFiles = useCallback(
    (fresh: readonly File[]) => {
      add(fresh);
      focus();
    },
    [add, focus],
  );
  const over = useFileDrop(root, addFiles, true);

  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.nativeEvent.isComposing || mentions.onKeyDown(event)) return;
    if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      submit();
    } else if (event.key === "ArrowUp" && text === "" && files.items.length === 0 && editLast()) {
      event.preventDefault();
    }
  };

  const open = mentions.found.length > 0;
  return (
    <div className={classes.place} ref={root}>
      <TypingLine channelId={channelId} />
      <div className={classes.box}>
        {open && (
          <MentionList
            id={mentions.listId}
            found={mentions.found}
            active={mentions.active}
            accents={accents}
            onActive={mentions.setActive}
            onPick={mentions.pick}
          />
        )}
        <AttachmentTray items={files.items} refused={files.refused} onRemove={files.remove} onRetry={files.retry} />
        <textarea
          ref={box}
          className={classes.text}
          value={text}
          rows={1}
          placeholder={shorten(place, 44)}
          aria-label={place}
          aria-autocomplete="list"
          aria-haspopup="listbox"
          aria-controls={open ? mentions.listId : undefined}
          aria-activedescendant={open ? optionId(mentions.listId, mentions.active) : undefined}
          aria-keyshortcuts="Enter"
          aria-invalid={tooLong || undefined}
          autoFocus={autoFocus}
          enterKeyHint="send"
          data-composer
          onChange={(event) => {
            setText(event.target.value);
            setCaret(event.target.selectionStart);
            if (event.target.value.trim()) sayTyping();
          }}
          onSelect={(event) => setCaret(event.currentTarget.selectionStart)}
          onKeyDown={onKeyDown}
          onPaste={(event) => {
            const pasted = filesOf(event.clipboardData);
            if (pasted.length === 0 || event.clipboardData.types.includes("text/plain")) return;
            event.preventDefault();
            addFiles(pasted);
          }}
        />
        <ComposerActions
          channelId={channelId}
          replyTo={replyTo}
          ready={ready}
          empty={text.trim() === "" && files.items.length === 0}
          note={noteOf(tooLong, isUploading(files.items))}
          onFiles={addFiles}
          onSend={submit}
        />
      </div>
      {over && (
        <div className={classes.over} style={over} aria-hidden="true">
          Drop to add to your message
        </div>
      )}
    </div>
  );
}

function noteOf(tooLong: boolean, uploading: boolean): string | null {
  if (tooLong) return "A message may have up to 256 KB of text. Send the rest as a file.";
  return uploading ? "Can be sent when the upload is done." : null;
}
