/** What the keyboard does everywhere. Pure; `useShortcuts` binds it. */

export const PLACES = {
  h: { to: "/", label: "Start" },
  c: { to: "/channels", label: "Channels" },
  a: { to: "/agents", label: "Agents" },
  p: { to: "/approvals", label: "Approvals" },
  t: { to: "/activity", label: "Activity (turns)" },
  s: { to: "/settings", label: "Settings" },
} as const;

export type Place = (typeof PLACES)[keyof typeof PLACES];

export const HELP: readonly { title: string; rows: readonly (readonly [keys: string, what: string])[] }[] = [
  {
    title: "Everywhere",
    rows: [
      ["Ctrl K", "Go to anything, do anything"],
      ["?", "This list"],
      ["Esc", "Close what is open"],
    ],
  },
  { title: "Go to", rows: Object.entries(PLACES).map(([key, { label }]) => [`g ${key}`, label] as const) },
  {
    title: "In lists",
    rows: [
      ["j k", "Next, previous"],
      ["Enter", "Open"],
    ],
  },
  {
    title: "Writing",
    rows: [
      ["Enter", "Send"],
      ["Shift Enter", "New line"],
      ["@", "Mention a person or an agent"],
      ["↑", "Edit your last message, in an empty box"],
    ],
  },
];

export interface Pressed {
  key: string;
  at: number;
  /** Ctrl, Cmd or Alt is held. */
  modified: boolean;
  /** The focus is where one writes. */
  writing: boolean;
}

export type Meant = { kind: "none" } | { kind: "begun"; at: number } | { kind: "go"; place: Place } | { kind: "help" };

const WINDOW = 1_200;

/** What this key means, `g` having been pressed at `begun` or not. */
export function meaning({ key, at, modified, writing }: Pressed, begun: number | null): Meant {
  if (modified || writing) return { kind: "none" };
  if (begun !== null && at - begun <= WINDOW) {
    const place = Object.hasOwn(PLACES, key) ? PLACES[key as keyof typeof PLACES] : null;
    return place ? { kind: "go", place } : { kind: "none" };
  }
  if (key === "g") return { kind: "begun", at };
  return key === "?" ? { kind: "help" } : { kind: "none" };
}

/** Whether keys are letters here, and not commands. */
export function isWriting(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !["checkbox", "radio", "button", "submit", "range"].includes(target.type);
}
