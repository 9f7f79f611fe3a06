/** Which element's tip is to be seen, and where it stands. Knows no React. */

export interface Tip {
  target: Element;
  text: string;
}

/** With the mouse, a tip comes only to who stays. */
export const DELAY_MS = 400;
const GAP = 5;
const EDGE = 8;

/**
 * Follows the pointer and the keyboard over the whole page: `show` is told the tip (`data-tip`) of what is pointed at or
 * has come into focus by keyboard, and null when there is none any more. Returns what ends it.
 */
export function watchTips(show: (tip: Tip | null) => void): () => void {
  const end = new AbortController();
  const { signal } = end;
  let target: Element | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const say = () => {
    const text = target?.getAttribute("data-tip");
    show(target && text ? { target, text } : null);
  };
  const words = new MutationObserver(say);
  const sight = new IntersectionObserver((entries) => {
    if (entries.at(-1)?.isIntersecting === false) become(null); // scrolled away, or gone from the page
  });
  const open = () => {
    if (!target) return;
    words.observe(target, { attributes: true, attributeFilter: ["data-tip"] });
    sight.observe(target);
    say();
  };
  function become(next: Element | null, delay = 0): void {
    if (next === target) return;
    clearTimeout(timer);
    words.disconnect();
    sight.disconnect();
    target = next;
    show(null);
    if (next && delay) timer = setTimeout(open, delay);
    else if (next) open();
  }

  const at = (event: Event) => (event.target instanceof Element ? event.target.closest("[data-tip]") : null);
  const onPointer = (event: PointerEvent) => {
    if (event.pointerType !== "touch") become(at(event), DELAY_MS);
  };
  const onFocus = (event: FocusEvent) => {
    if (event.target instanceof Element && event.target.matches(":focus-visible")) become(at(event));
  };
  const onBlur = (event: FocusEvent) => {
    if (at(event) === target) become(null);
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Escape") become(null);
  };
  document.addEventListener("pointerover", onPointer, { signal, passive: true });
  document.documentElement.addEventListener("pointerleave", () => become(null), { signal });
  document.addEventListener("focusin", onFocus, { signal });
  document.addEventListener("focusout", onBlur, { signal });
  document.addEventListener("keydown", onKey, { signal, capture: true });
  return () => {
    become(null);
    end.abort();
  };
}

interface Box {
  left: number;
  top: number;
  bottom: number;
  width: number;
}

/** Above the middle of the target, within the window; below it where there is no room above. */
export function placeTip(target: Box, tip: { width: number; height: number }, windowWidth: number): { left: number; top: number } {
  const middle = target.left + (target.width - tip.width) / 2;
  const left = Math.max(EDGE, Math.min(middle, windowWidth - tip.width - EDGE));
  const above = target.top - tip.height - GAP;
  return { left, top: above < 0 ? target.bottom + GAP : above };
}
