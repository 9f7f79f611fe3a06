import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

/** So near to the end counts as being there. */
const NEAR = 8;
/** So far from it, a way back is offered. */
const FAR = 400;

export interface Follow {
  /** Whether the reader is at the end and the view follows it. */
  bottom: boolean;
  /** Whether the end is out of sight. */
  far: boolean;
  toEnd: () => void;
  /** Stops following, for a jump elsewhere. */
  leave: () => void;
  onScroll: () => void;
}

/**
 * Keeps the end in view for a reader who is there, whatever grows, and for nobody else: from the moment the reader
 * moves up, nothing moves but what they move.
 */
export function useFollow(scroller: RefObject<HTMLElement | null>, content: RefObject<HTMLElement | null>, start: boolean): Follow {
  const [bottom, setBottom] = useState(start);
  const [far, setFar] = useState(false);
  const state = useRef({ following: start, top: 0, height: 0 });

  const follow = useCallback((following: boolean) => {
    state.current.following = following;
    setBottom(following);
  }, []);

  const settle = useCallback(() => {
    const box = scroller.current;
    if (!box || !state.current.following) return;
    box.scrollTop = box.scrollHeight;
    state.current.top = box.scrollTop;
    state.current.height = box.scrollHeight;
  }, [scroller]);

  useLayoutEffect(settle);

  useEffect(() => {
    const observer = new ResizeObserver(settle);
    if (scroller.current) observer.observe(scroller.current);
    if (content.current) observer.observe(content.current);
    return () => observer.disconnect();
  }, [scroller, content, settle]);

  const onScroll = useCallback(() => {
    const box = scroller.current;
    if (!box) return;
    const before = state.current;
    const left = box.scrollHeight - box.scrollTop - box.clientHeight;
    const movedUp = box.scrollTop < before.top - 1 && box.scrollHeight >= before.height;
    before.top = box.scrollTop;
    before.height = box.scrollHeight;
    setFar(left > FAR);
    if (left <= NEAR) follow(true);
    else if (movedUp) follow(false);
  }, [scroller, follow]);

  const toEnd = useCallback(() => {
    follow(true);
    settle();
  }, [follow, settle]);

  const leave = useCallback(() => follow(false), [follow]);
  return { bottom, far, toEnd, leave, onScroll };
}
