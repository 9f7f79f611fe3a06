import {
  memo, type ReactNode, type RefObject, useEffect, useImperativeHandle, useLayoutEffect, useRef, useState, useSyncExternalStore,
} from "react"; // prettier-ignore
import { Virtualizer, type VirtualizerHandle } from "virtua";

import type { Message } from "@/api/messages";
import type { Outgoing } from "@/api/outbox";
import type { Turn } from "@/api/turns";
import type { Row } from "@/lib/rows";

import { Follower } from "./follower";
import classes from "./MessageList.module.css";
import { RowItem } from "./RowItem";
import { headLength, nextSplit, shifted, type Split } from "./split";
import { useRowKeys } from "./useRowKeys";

export type TalkRow = Row<Message, Turn, Outgoing>;

export interface ListHandle {
  /** Brings a row into the middle of the view; false when it is not loaded. */
  show: (key: string) => boolean;
  toEnd: () => void;
}

interface Props {
  channelId: string;
  rows: readonly TalkRow[];
  present: boolean;
  /** The message that the address points to. */
  target: string | null;
  hasOlder: boolean;
  hasNewer: boolean;
  onOlder: () => void;
  onNewer: () => void;
  onBottom: (bottom: boolean) => void;
  onOpen: (messageId: string) => void;
  onEdit: () => void;
  /** Stands before the first message of all. */
  start: ReactNode;
  /** Above the list, over it: ways to elsewhere. */
  overlay: (place: { far: boolean; bottom: boolean; firstSeen: number }) => ReactNode;
  handle: RefObject<ListHandle | null>;
}

/** The height of what stands before the first row: kept the same, so that nothing jumps when the start is reached. */
const START = 72;
const EDGE = 900;

/** All rows, however many: those far from the end are virtual, the view stays where the reader is. */
export const MessageList = memo(function MessageList(props: Props) {
  const { channelId, rows, present, target, handle, overlay } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const virtual = useRef<VirtualizerHandle>(null);
  const [follower] = useState(() => new Follower(target === null));
  const { bottom, far } = useSyncExternalStore(follower.watch, follower.current);
  const split = useSplit(rows, present, bottom);
  const head = Math.max(0, headLength(rows, split));
  const shift = useShift(rows);
  const [firstSeen, setFirstSeen] = useState(0);
  const keys = useRowKeys(content, { onOpen: props.onOpen, onEdit: props.onEdit });
  useEdges(scroller, props);

  useLayoutEffect(() => {
    const [box, inside] = [scroller.current, content.current];
    return box && inside ? follower.attach(box, inside) : undefined;
  }, [follower]);
  useLayoutEffect(() => follower.settle());
  const { onBottom } = props;
  useEffect(() => onBottom(bottom && present), [onBottom, bottom, present]);

  const show = (key: string): boolean => {
    const index = rows.findIndex((row) => row.key === key || (row.kind === "message" && row.message.id === key));
    if (index < 0) return false;
    follower.leave();
    if (index < head) virtual.current?.scrollToIndex(index, { align: "center" });
    else rowElement(content.current, rows[index])?.scrollIntoView({ block: "center" });
    return true;
  };
  useImperativeHandle(handle, () => ({ toEnd: follower.toEnd, show }));

  const onScroll = () => {
    follower.onScroll();
    const offset = virtual.current?.scrollOffset ?? 0;
    setFirstSeen(head ? (virtual.current?.findItemIndex(offset + 48) ?? 0) : 0);
  };

  return (
    <div className={classes.frame}>
      {/* the list scrolls by keyboard, and its keys lead into the rows */}
      <div ref={scroller} className={classes.scroller} onScroll={onScroll} onKeyDown={keys} tabIndex={0} role="group"
        aria-label="Conversation" data-list> {/* prettier-ignore */}
        <div className={classes.grow} />
        <div className={classes.start} style={{ height: START }}>
          {props.start}
        </div>
        <div ref={content} role="feed" aria-label="Messages" className={classes.feed}>
          <Virtualizer ref={virtual} scrollRef={scroller} startMargin={START} shift={shift} bufferSize={500} data={rows.slice(0, head)}>
            {(row) => <RowItem key={row.key} channelId={channelId} row={row} target={target} />}
          </Virtualizer>
          {rows.slice(head).map((row) => (
            <RowItem key={row.key} channelId={channelId} row={row} target={target} />
          ))}
          <div className={classes.end} />
        </div>
      </div>
      {overlay({ far, bottom, firstSeen })}
    </div>
  );
});

function rowElement(content: HTMLElement | null, row: TalkRow | undefined): Element | null {
  const id = row?.kind === "message" ? row.message.id : row?.kind === "turn" ? row.turn.id : "";
  return content?.querySelector(`[data-row="${CSS.escape(id)}"]`) ?? null;
}

function useSplit(rows: readonly TalkRow[], present: boolean, bottom: boolean): Split {
  const [split, setSplit] = useState<Split | null>(null);
  const next = nextSplit(split, rows, { present, bottom });
  if (next.after !== split?.after) setSplit(next);
  return next;
}

function useShift(rows: readonly TalkRow[]): boolean {
  const [known, setKnown] = useState({ rows, shift: false });
  if (known.rows === rows) return known.shift;
  const shift = shifted(known.rows, rows);
  setKnown({ rows, shift });
  return shift;
}

/** Loads more as an end of what is loaded comes near. */
function useEdges(scroller: RefObject<HTMLElement | null>, { rows, hasOlder, hasNewer, onOlder, onNewer }: Props): void {
  useEffect(() => {
    const box = scroller.current;
    if (!box) return;
    const look = () => {
      if (hasOlder && box.scrollTop < EDGE) onOlder();
      if (hasNewer && box.scrollHeight - box.scrollTop - box.clientHeight < EDGE) onNewer();
    };
    const frame = requestAnimationFrame(look); // also where everything fits and nothing scrolls
    box.addEventListener("scroll", look, { passive: true });
    return () => {
      cancelAnimationFrame(frame);
      box.removeEventListener("scroll", look);
    };
  }, [scroller, rows, hasOlder, hasNewer, onOlder, onNewer]);
}
