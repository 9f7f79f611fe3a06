import { ActionIcon } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { IconCheck, IconCopy } from "@tabler/icons-react";

interface Props {
  text: string | (() => string);
  label?: string;
}

/** Puts the text on the clipboard and says so for a moment. */
export function CopyButton({ text, label = "Copy" }: Props) {
  const { copy, copied, error } = useClipboard({ timeout: 1500 });
  const words = error ? "Couldn't copy: select the text instead" : copied ? "Copied" : label;
  return (
    <ActionIcon aria-label={words} data-tip={words} size={28} onClick={() => copy(typeof text === "string" ? text : text())}>
      {copied ? <IconCheck size={16} stroke={1.5} /> : <IconCopy size={16} stroke={1.5} />}
    </ActionIcon>
  );
}
