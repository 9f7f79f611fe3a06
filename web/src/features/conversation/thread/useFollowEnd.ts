import { useEffect, useRef } from "react";

/** So near the end counts as the end. */
const NEAR = 48;

/** Keeps the end in view while it is in view; leaves a reader further up alone. */
export function useFollowEnd() {
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const box = scroller.current;
    const inner = content.current;
    if (!box || !inner) return;
    let following = true;
    const onScroll = () => {
      following = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
    };
    const sizes = new ResizeObserver(() => {
      if (following) box.scrollTop = box.scrollHeight;
    });
    sizes.observe(inner);
    sizes.observe(box);
    box.addEventListener("scroll", onScroll, { passive: true });
    return () => {
      sizes.disconnect();
      box.removeEventListener("scroll", onScroll);
    };
  }, []);
  return { scroller, content };
}
