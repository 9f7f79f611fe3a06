import { useCallback, useLayoutEffect, useRef, useState, type RefObject } from "react";

/** Where the browser sizes a text box by its content itself. */
const SIZED = typeof CSS !== "undefined" && CSS.supports("field-sizing", "content");

export interface TextBox {
  ref: RefObject<HTMLTextAreaElement | null>;
  /** Puts the caret there once the text has been drawn. */
  putCaret: (at: number) => void;
  focus: () => void;
}

/** A text box that grows with its text, and whose caret can be placed after the text was replaced. */
export function useTextBox(text: string): TextBox {
  const ref = useRef<HTMLTextAreaElement>(null);
  const [wanted, setWanted] = useState<{ at: number } | null>(null);
  useLayoutEffect(() => {
    const own = ref.current;
    if (SIZED || !own) return;
    own.style.height = "auto";
    own.style.height = `${own.scrollHeight}px`;
  }, [text]);
  useLayoutEffect(() => {
    if (wanted) ref.current?.setSelectionRange(wanted.at, wanted.at);
  }, [wanted]);
  const putCaret = useCallback((at: number) => setWanted({ at }), []);
  const focus = useCallback(() => ref.current?.focus(), []);
  return { ref, putCaret, focus };
}
