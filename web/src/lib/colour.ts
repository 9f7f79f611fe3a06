/** Contrast of colours as WCAG 2 counts it: whether a mark can be told from the ground it stands on. */

/** The page's ground, light and dark (theme.ts; a test holds them together). */
export const GROUNDS = { light: "#fdfcfa", dark: "#1a1917" } as const;
/** What a mark (ring, edge, dot) needs; text would need 4.5. */
export const MARK = 3;

export type Ground = keyof typeof GROUNDS;

const HEX = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i;

/** Relative luminance of `#rrggbb`, 0 to 1; null for anything else. */
export function luminance(colour: string): number | null {
  const found = HEX.exec(colour.trim());
  if (!found) return null;
  const [r = 0, g = 0, b = 0] = found.slice(1).map((part) => {
    const value = Number.parseInt(part, 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** From 1 (the same) to 21 (black on white); null when one of them is no colour. */
export function contrast(one: string, other: string): number | null {
  const a = luminance(one);
  const b = luminance(other);
  if (a === null || b === null) return null;
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

/** On which grounds a mark of this colour is hard to see; empty when it is fine everywhere. */
export function faintOn(colour: string): Ground[] {
  return (Object.keys(GROUNDS) as Ground[]).filter((ground) => (contrast(colour, GROUNDS[ground]) ?? 0) < MARK);
}
