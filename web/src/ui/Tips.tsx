import { useEffect, useId, useLayoutEffect, useRef, useState } from "react";

import { placeTip, type Tip, watchTips } from "./tips";
import classes from "./Tips.module.css";

/** The one tooltip of the page, for whatever has a `data-tip`: a few words for the mouse and the keyboard, not for touch. */
export function Tips() {
  const [tip, setTip] = useState<Tip | null>(null);
  useEffect(() => watchTips(setTip), []);
  return tip && <Bubble {...tip} />;
}

function Bubble({ target, text }: Tip) {
  const id = useId();
  const bubble = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const place = () => {
      const box = bubble.current;
      if (!box) return;
      const { left, top } = placeTip(target.getBoundingClientRect(), box.getBoundingClientRect(), document.documentElement.clientWidth);
      box.style.left = `${left}px`;
      box.style.top = `${top}px`;
    };
    place();
    window.addEventListener("scroll", place, { capture: true, passive: true });
    window.addEventListener("resize", place);
    return () => {
      window.removeEventListener("scroll", place, { capture: true });
      window.removeEventListener("resize", place);
    };
  }, [target, text]);
  useLayoutEffect(() => {
    if (says(target, text) || target.hasAttribute("aria-describedby")) return;
    target.setAttribute("aria-describedby", id);
    return () => target.removeAttribute("aria-describedby");
  }, [target, text, id]);
  return (
    <div ref={bubble} id={id} role="tooltip" className={classes.tip}>
      {text}
    </div>
  );
}

/** Whether who cannot see the tip is told the same anyway. */
function says(target: Element, text: string): boolean {
  return target.getAttribute("aria-label") === text || target.textContent.includes(text);
}
