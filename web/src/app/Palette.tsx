import { useDebouncedValue } from "@mantine/hooks";
import { createSpotlight, Spotlight } from "@mantine/spotlight";
import { IconSearch } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";

import { useMessageSearch } from "@/api/search";

import { type Entry, matching } from "./palette";
import classes from "./Palette.module.css";
import { type Entries, useEntries } from "./useEntries";

const [store, palette] = createSpotlight();
const PAUSE = 200;
const LEAST = 2;

interface Props {
  /** Opens each time this number rises. */
  opens: number;
  onHelp: () => void;
}

/** Go to anything, do anything (Ctrl/Cmd-K). */
export function Palette({ opens, onHelp }: Props) {
  const [query, setQuery] = useState("");
  const { entries, found } = useEntries(onHelp); // here, and not in the list: what it does goes on after the list is gone
  const seen = useRef(0);
  useEffect(() => {
    if (seen.current === opens) return;
    seen.current = opens;
    palette.toggle();
  }, [opens]);
  return (
    <Spotlight.Root
      store={store}
      query={query}
      onQueryChange={setQuery}
      clearQueryOnClose
      shortcut={null}
      maxHeight={440}
      scrollable
      radius="lg"
      transitionProps={{ duration: 120 }}
      overlayProps={{ backgroundOpacity: 0.35, blur: 0 }}
      classNames={{ content: classes.content }}
      attributes={{ content: { "aria-label": "Go to anything, do anything" } }}
    >
      <Spotlight.Search
        placeholder="Go to, do, or search messages"
        aria-label="Go to, do, or search messages"
        leftSection={<IconSearch size={18} stroke={1.5} />}
      />
      <Results query={query} entries={entries} found={found} />
    </Spotlight.Root>
  );
}

function Results({ query, entries, found }: { query: string } & Entries) {
  const [asked] = useDebouncedValue(query.trim(), PAUSE);
  const search = useMessageSearch(asked.length >= LEAST ? asked : "");
  const groups = matching(entries, query);
  const hits = query.trim().length >= LEAST ? (search.data?.data ?? []).map(found) : [];
  const nothing = groups.length === 0 && hits.length === 0;
  return (
    <Spotlight.ActionsList>
      {groups.map(({ name, entries: shown }) => (
        <Group key={name} name={name} entries={shown} />
      ))}
      {hits.length > 0 && <Group name="Messages" entries={hits} />}
      {nothing && <Spotlight.Empty>{empty(search.isError, search.isFetching)}</Spotlight.Empty>}
    </Spotlight.ActionsList>
  );
}

function empty(failed: boolean, busy: boolean): string {
  if (failed) return "Couldn't search the messages. Try again in a moment.";
  return busy ? "Searching the messages…" : "Nothing by that name, and no message with these words.";
}

function Group({ name, entries }: { name: string; entries: readonly Entry[] }) {
  return (
    <Spotlight.ActionsGroup label={name} className={classes.group}>
      {entries.map(({ id, label, detail, mark, run }) => (
        <Spotlight.Action key={id} onClick={run} className={classes.action}>
          <span className={classes.mark} aria-hidden>
            {mark}
          </span>
          <span className={classes.label}>{label}</span>
          {detail && <span className={classes.detail}>{detail}</span>}
        </Spotlight.Action>
      ))}
    </Spotlight.ActionsGroup>
  );
}
