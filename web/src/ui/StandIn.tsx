import { type Ref, type RefObject, useLayoutEffect } from "react";

interface Props {
  /** The element that is there already. */
  of: RefObject<HTMLElement | null>;
  ref?: Ref<HTMLElement>;
  id?: string;
  "aria-controls"?: string;
}

/**
 * Draws nothing: tells a menu or popover of an element drawn elsewhere, as whose child it is given. So the button can be
 * on the page before the menu's code is. The element says `aria-haspopup` and `aria-expanded` itself.
 */
export function StandIn({ of, ref, id, "aria-controls": controls }: Props) {
  useLayoutEffect(() => {
    const element = of.current;
    if (!element) return;
    if (id) element.setAttribute("id", id);
    if (controls) element.setAttribute("aria-controls", controls);
    return () => element.removeAttribute("aria-controls");
  }, [of, id, controls]);
  useLayoutEffect(() => {
    if (typeof ref !== "function") return;
    const leave = ref(of.current);
    return () => (typeof leave === "function" ? leave() : void ref(null));
  }, [of, ref]);
  return null;
}
