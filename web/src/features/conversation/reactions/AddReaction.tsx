import { ActionIcon, Popover } from "@mantine/core";
import { IconMoodPlus } from "@tabler/icons-react";
import { useState, type ComponentPropsWithRef, type KeyboardEvent } from "react";

import type { Message } from "@/api/messages";
import { OFFERED } from "@/lib/reactions";

import classes from "./Reactions.module.css";
import { useReact } from "./useReact";

interface Props {
  channelId: string;
  message: Message;
}

const COLUMNS = 6;
const STEPS: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: COLUMNS, ArrowUp: -COLUMNS };

/** Moves among the choices with the arrow keys. */
function onArrow(event: KeyboardEvent<HTMLElement>): void {
  const by = STEPS[event.key];
  if (by === undefined) return;
  const buttons = [...event.currentTarget.querySelectorAll("button")];
  const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
  const next = buttons[(at + by + buttons.length) % buttons.length];
  event.preventDefault();
  next?.focus();
}

type TriggerProps = ComponentPropsWithRef<"button"> & { open: boolean };

function Trigger({ open, ...given }: TriggerProps) {
  return (
    <ActionIcon {...given} size={28} aria-label="Add a reaction" data-tip={open ? undefined : "Add a reaction"}>
      <IconMoodPlus size={18} stroke={1.5} />
    </ActionIcon>
  );
}

/** A button that opens the few reactions there are. */
export function AddReaction({ channelId, message }: Props) {
  const [open, setOpen] = useState(false);
  const react = useReact(channelId, message);
  const mine = new Set(message.reactions.flatMap((one) => (one.mine ? [one.emoji] : [])));
  return (
    <Popover opened={open} onChange={setOpen} position="top-end" trapFocus returnFocus withinPortal>
      <Popover.Target>
        <Trigger open={open} onClick={() => setOpen((was) => !was)} />
      </Popover.Target>
      <Popover.Dropdown p={4} aria-label="Reactions to choose from" onKeyDown={onArrow}>
        <div className={classes.choices}>
          {OFFERED.map(([emoji, name]) => (
            <button
              key={emoji}
              type="button"
              className={classes.choice}
              aria-label={name}
              aria-pressed={mine.has(emoji)}
              title={name}
              onClick={() => {
                setOpen(false);
                react(emoji);
              }}
            >
              {emoji}
            </button>
          ))}
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}
