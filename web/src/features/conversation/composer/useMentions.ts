import { useDeferredValue, useId, useMemo, useState, type KeyboardEvent } from "react";

import { matching, mentionAt, step, withMention, type Mentionable } from "@/lib/mention";

export interface Mentions {
  listId: string;
  found: readonly Mentionable[];
  active: number;
  setActive: (index: number) => void;
  pick: (who: Mentionable) => void;
  /** Whether the key was the list's. */
  onKeyDown: (event: KeyboardEvent) => boolean;
}

interface Input {
  text: string;
  caret: number;
  everyone: readonly Mentionable[];
  replace: (text: string, caret: number) => void;
}

/** The completion of the mention that is being typed at the caret. */
export function useMentions({ text, caret, everyone, replace }: Input): Mentions {
  const listId = useId();
  const [dismissed, setDismissed] = useState<number | null>(null);
  const [chosen, setChosen] = useState({ query: "", index: 0 });
  const at = useMemo(() => mentionAt(text, caret), [text, caret]);
  const query = useDeferredValue(at?.query ?? null);
  const open = at !== null && dismissed !== at.start;
  const found = useMemo(() => (query === null ? [] : matching(everyone, query)), [everyone, query]);
  const shown = open ? found : [];
  const active = chosen.query === query && chosen.index < shown.length ? chosen.index : 0;
  if (at === null && dismissed !== null) setDismissed(null);

  const setActive = (index: number) => setChosen({ query: query ?? "", index });
  const pick = (who: Mentionable) => {
    if (!at) return;
    const made = withMention(text, at, who.handle);
    replace(made.text, made.caret);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (!at || shown.length === 0) return false;
    switch (event.key) {
      case "ArrowDown":
        setActive(step(active, 1, shown.length));
        break;
      case "ArrowUp":
        setActive(step(active, -1, shown.length));
        break;
      case "Enter":
      case "Tab": {
        const who = shown[active];
        if (event.shiftKey || !who) return false;
        pick(who);
        break;
      }
      case "Escape":
        setDismissed(at.start);
        break;
      default:
        return false;
    }
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  return { listId, found: shown, active, setActive, pick, onKeyDown };
}
