import { ActionIcon } from "@mantine/core";
import { IconFile, IconReload, IconX } from "@tabler/icons-react";
import { memo } from "react";

import { isPicture, size, type Attachment } from "./attachments";
import classes from "./AttachmentTray.module.css";

interface Props {
  items: readonly Attachment[];
  refused: readonly string[];
  onRemove: (key: string) => void;
  onRetry: (key: string) => void;
}

/** The files that go with the message: what they look like, how far they are, and what is wrong with them. */
export const AttachmentTray = memo(function AttachmentTray({ items, refused, onRemove, onRetry }: Props) {
  return (
    <>
      {items.length > 0 && (
        <ul className={classes.tray} aria-label="Files of this message">
          {items.map((item) => (
            <Item key={item.key} item={item} onRemove={onRemove} onRetry={onRetry} />
          ))}
        </ul>
      )}
      {refused.length > 0 && (
        <div className={classes.refused} role="alert">
          {refused.map((why) => (
            <p key={why}>{why}</p>
          ))}
        </div>
      )}
    </>
  );
});

interface ItemProps {
  item: Attachment;
  onRemove: (key: string) => void;
  onRetry: (key: string) => void;
}

function Item({ item, onRemove, onRetry }: ItemProps) {
  const percent = Math.round(item.progress * 100);
  return (
    <li className={classes.item} data-state={item.state}>
      <Picture item={item} />
      <span className={classes.words}>
        <span className={classes.name} title={item.name}>
          {item.name}
        </span>
        {item.state === "failed" ? (
          <span className={classes.error} role="alert" title={item.error ?? undefined}>
            {item.error}
          </span>
        ) : (
          <span className={classes.meta}>{item.state === "uploading" ? `Uploading, ${percent}%` : size(item.bytes)}</span>
        )}
      </span>
      {item.state === "failed" && (
        <ActionIcon size={28} aria-label={`Try ${item.name} again`} onClick={() => onRetry(item.key)}>
          <IconReload size={16} stroke={1.5} />
        </ActionIcon>
      )}
      <ActionIcon size={28} aria-label={`Remove ${item.name}`} onClick={() => onRemove(item.key)}>
        <IconX size={16} stroke={1.5} />
      </ActionIcon>
      {item.state === "uploading" && (
        <progress className={classes.progress} value={item.progress} max={1} aria-label={`Uploading ${item.name}`} />
      )}
    </li>
  );
}

function Picture({ item }: { item: Attachment }) {
  const shown = item.preview ?? item.file?.preview_url;
  if (shown && (isPicture(item.mediaType) || item.file?.preview_url)) {
    return <img className={classes.picture} src={shown} alt="" width={36} height={36} />;
  }
  return (
    <span className={classes.picture} aria-hidden="true">
      <IconFile size={18} stroke={1.5} />
    </span>
  );
}
