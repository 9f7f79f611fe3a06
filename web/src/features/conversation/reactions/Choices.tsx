import { Popover } from "@mantine/core";
import { useMounted } from "@mantine/hooks";
import type { KeyboardEvent, RefObject } from "react";

import { OFFERED } from "@/lib/reactions";
import { StandIn } from "@/ui/StandIn";

import classes from "./Reactions.module.css";

interface Props {
  target: RefObject<HTMLElement | null>;
  opened: boolean;
  onChange: (opened: boolean) => void;
  mine: ReadonlySet<string>;
  onPick: (emoji: string) => void;
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

/** The few reactions there are, above the button that opened them. */
export function Choices({ target, opened, onChange, mine, onPick }: Props) {
  const here = useMounted(); // it opens only after it was closed, so that the focus comes back to the button
  return (
    <Popover opened={opened && here} onChange={onChange} position="top-end" trapFocus returnFocus withinPortal>
      <Popover.Target>
        <StandIn of={target} />
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
              onClick={() => onPick(emoji)}
            >
              {emoji}
            </button>
          ))}
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}
