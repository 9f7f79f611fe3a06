import { type ReactNode, useState } from "react";

import { clock, exact } from "@/lib/time";
import { Avatar } from "@/ui/Avatar";

import classes from "./Row.module.css";
import type { Party } from "./useDirectory";

interface Props {
  who: Party;
  when: string;
  /** Follows closely on the same person's words: without picture and name. */
  grouped?: boolean;
  /** Beside the time: "edited", "only you see this". */
  notes?: ReactNode;
  /** The bar of actions; drawn while the row is pointed at or holds the focus. */
  actions?: () => ReactNode;
  /** What this row is called in lists of rows. */
  id?: string;
  quiet?: boolean;
  children: ReactNode;
}

/** One row of a conversation: who, when, what; the same for people, agents and what is on its way. */
export function Row({ who, when, grouped = false, notes, actions, id, quiet, children }: Props) {
  const { active, handlers } = useActive();
  const label = `${who.name}, ${clock(when)}`;
  return (
    <article className={classes.row} data-grouped={grouped || undefined} data-quiet={quiet || undefined} data-row={id}
      aria-label={label} tabIndex={-1} {...handlers}> {/* prettier-ignore */}
      <div className={classes.side}>
        {grouped ? <Time when={when} className={classes.hoverTime} /> : <Avatar name={who.name} kind={who.kind} accent={who.accent} image={who.image} size={32} />}
      </div>
      <div className={classes.main}>
        {grouped ? (
          notes && <div className={classes.head}>{notes}</div>
        ) : (
          <div className={classes.head}>
            <span className={classes.name}>{who.name}</span>
            <Time when={when} className={classes.time} />
            {notes}
          </div>
        )}
        {children}
      </div>
      {active && actions && <div className={classes.actions}>{actions()}</div>}
    </article>
  );
}

function Time({ when, className }: { when: string; className: string | undefined }) {
  return (
    <time dateTime={when} title={exact(when)} className={className}>
      {clock(when)}
    </time>
  );
}

/** A menu that the bar has opened keeps the bar where it is. */
function holdsMenu(row: HTMLElement): boolean {
  return row.querySelector("[aria-expanded='true'][aria-haspopup]") !== null;
}

function useActive() {
  const [active, setActive] = useState(false);
  const handlers = {
    onPointerEnter: () => setActive(true),
    onPointerLeave: (event: React.PointerEvent<HTMLElement>) => {
      const row = event.currentTarget;
      if (!row.contains(document.activeElement) && !holdsMenu(row)) setActive(false);
    },
    onFocus: () => setActive(true),
    onBlur: (event: React.FocusEvent<HTMLElement>) => {
      const row = event.currentTarget;
      if (!row.contains(event.relatedTarget) && !row.matches(":hover") && !holdsMenu(row)) setActive(false);
    },
  };
  return { active, handlers };
}
