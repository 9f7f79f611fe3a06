/** On touch screens the keyboard would cover what one came to read: nothing there takes the focus by itself. */
export function isTouch(): boolean {
  return window.matchMedia("(pointer: coarse)").matches;
}
