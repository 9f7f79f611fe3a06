import { useEffect, useRef } from "react";

import type { Mentionable } from "@/lib/mention";
import { Avatar } from "@/ui/Avatar";

import classes from "./MentionList.module.css";

interface Props {
  id: string;
  found: readonly Mentionable[];
  active: number;
  accents: ReadonlyMap<string, string>;
  onActive: (index: number) => void;
  onPick: (who: Mentionable) => void;
}

export function optionId(listId: string, index: number): string {
  return `${listId}-${index}`;
}

/** Who can be mentioned. The focus stays in the text; `aria-activedescendant` there names the active option. */
export function MentionList({ id, found, active, accents, onActive, onPick }: Props) {
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    list.current?.children[active]?.scrollIntoView({ block: "nearest" });
  }, [active]);
  return (
    <ul ref={list} id={id} role="listbox" aria-label="People and agents" className={classes.list}>
      {found.map((who, index) => (
        <li
          key={who.id}
          id={optionId(id, index)}
          role="option"
          aria-selected={index === active}
          className={classes.option}
          onMouseMove={() => index !== active && onActive(index)}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => onPick(who)}
        >
          <Avatar name={who.name} size={24} kind={who.kind === "agent" ? "agent" : "person"} accent={accents.get(who.id)} />
          <span className={classes.name}>{who.name}</span>
          <span className={classes.handle}>@{who.handle}</span>
          {who.kind === "agent" && <span className={classes.kind}>Agent</span>}
        </li>
      ))}
    </ul>
  );
}
