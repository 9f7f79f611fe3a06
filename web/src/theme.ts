/**
 * The look of Retinue, all of it: type scale, spacing, colours, and what Mantine's components start from. Everything
 * else uses these by name (`--mantine-*` and the `--rt-*` tokens below), never a colour or size of its own.
 *
 * Neutrals are warm greys. One accent is for action. Four colours mean something and only that: red needs attention
 * now, amber be aware, green well, blue working; grey is dormant. Text tokens reach AA (4.5:1) on every surface and on
 * their own soft ground, marks 3:1. src/theme.test.ts measures that.
 */
import { createTheme, type CSSVariablesResolver, rem } from "@mantine/core";

type Scheme = "light" | "dark";
type Tokens = Record<string, readonly [light: string, dark: string]>;

/** Tokens by name: `tokens["text"]` is `var(--rt-text)`. */
export const tokens = {
  // surfaces
  ground: ["#fdfcfa", "#1a1917"],
  side: ["#f6f4f0", "#151412"],
  raised: ["#ffffff", "#22201e"],
  sunken: ["#f6f4f0", "#141311"],
  hover: ["#f0ede7", "#262421"],
  selected: ["#e8e4dc", "#312e2a"],
  // lines
  line: ["#e8e4dd", "#302d2a"],
  "line-strong": ["#d3cdc3", "#45413c"],
  "line-control": ["#8f887c", "#79736a"],
  // words
  text: ["#25221e", "#ece8e1"],
  dimmed: ["#655f56", "#a8a196"],
  faint: ["#6f685f", "#9a9388"],
  // action
  accent: ["#4f46a5", "#a9a2f2"],
  "accent-fill": ["#574db3", "#6a60c9"],
  "accent-fill-hover": ["#4a419c", "#5d53ba"],
  "accent-soft": ["#eeecf9", "#2a2740"],
  // meaning: words, a mark (dot, bar), a soft ground for either
  red: ["#a8281f", "#f3938a"],
  "red-mark": ["#c9382d", "#e5675c"],
  "red-soft": ["#fbebe9", "#3a2321"],
  amber: ["#7f5200", "#e2b45a"],
  "amber-mark": ["#b27a10", "#d19a33"],
  "amber-soft": ["#faf1dd", "#352a16"],
  green: ["#27633f", "#82c79f"],
  "green-mark": ["#3a8a5c", "#55a878"],
  "green-soft": ["#e7f2eb", "#1d3025"],
  blue: ["#1d57ad", "#8fb7f5"],
  "blue-mark": ["#2f73d9", "#5f97ec"],
  "blue-soft": ["#e8effb", "#1e2b41"],
  "grey-mark": ["#857e73", "#8d867b"],
} as const satisfies Tokens;

export type Token = keyof typeof tokens;

const sizes = {
  "--rt-sidebar": rem(248),
  "--rt-panel": rem(380),
  "--rt-reading": rem(720),
  "--rt-row": rem(36),
  "--rt-row-compact": rem(32),
  "--rt-bar": rem(48),
  "--rt-line-list": "1.3",
  "--rt-line-reading": "1.5",
  "--rt-motion": "150ms ease-out",
  "--rt-radius": rem(6),
};

/** The meanings that Mantine's `color` may name; each is drawn with its tokens in both schemes. */
const MEANINGS = { accent: "accent", red: "red", yellow: "amber", green: "green", blue: "blue" } as const;

export const theme = createTheme({
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', Arial, sans-serif",
  fontFamilyMonospace: "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace",
  fontSizes: { xs: rem(12), sm: rem(13), md: rem(14), lg: rem(16), xl: rem(20) },
  lineHeights: { xs: "1.3", sm: "1.4", md: "1.5", lg: "1.5", xl: "1.3" },
  fontWeights: { regular: "400", medium: "500", bold: "600" },
  headings: {
    fontWeight: "600",
    sizes: {
      h1: { fontSize: rem(20), lineHeight: "1.3" },
      h2: { fontSize: rem(16), lineHeight: "1.4" },
      h3: { fontSize: rem(14), lineHeight: "1.4" },
      h4: { fontSize: rem(13), lineHeight: "1.4" },
    },
  },
  spacing: { xs: rem(4), sm: rem(8), md: rem(12), lg: rem(16), xl: rem(24) },
  radius: { xs: rem(3), sm: rem(4), md: rem(6), lg: rem(10), xl: rem(16) },
  defaultRadius: "md",
  shadows: {
    xs: "0 1px 2px rgba(37, 34, 30, 0.06)",
    sm: "0 1px 3px rgba(37, 34, 30, 0.10)",
    md: "0 6px 20px rgba(37, 34, 30, 0.12)",
    lg: "0 12px 32px rgba(37, 34, 30, 0.16)",
    xl: "0 20px 48px rgba(37, 34, 30, 0.20)",
  },
  breakpoints: { xs: "36em", sm: "40em", md: "56.25em", lg: "75em", xl: "90em" }, // sm 640 px, md 900 px
  white: "#ffffff",
  black: "#25221e",
  colors: {
    gray: ["#fdfcfa", "#f6f4f0", "#ece8e2", "#dfdad2", "#cdc7bd", "#a8a196", "#857e73", "#655f56", "#453f38", "#25221e"],
    dark: ["#ece8e1", "#d0cac0", "#a8a196", "#8d867b", "#45413c", "#302d2a", "#262421", "#1a1917", "#151412", "#0f0e0d"],
    accent: ["#f4f3fb", "#eeecf9", "#dcd8f3", "#c1bae9", "#a9a2f2", "#7f75cf", "#6a60c9", "#574db3", "#4a419c", "#3b3480"],
    red: ["#fdf4f3", "#fbebe9", "#f6d3cf", "#eeb0aa", "#f3938a", "#e5675c", "#c9382d", "#a8281f", "#8f2019", "#741812"],
    yellow: ["#fdf8ec", "#faf1dd", "#f3e0b5", "#eacb83", "#e2b45a", "#d19a33", "#b27a10", "#7f5200", "#6c4600", "#563700"],
    green: ["#f2f8f4", "#e7f2eb", "#cde5d6", "#a8d1b8", "#82c79f", "#55a878", "#3a8a5c", "#27633f", "#1f5435", "#17422a"],
    blue: ["#f3f7fd", "#e8effb", "#cfdef6", "#adc8f2", "#8fb7f5", "#5f97ec", "#2f73d9", "#1d57ad", "#174893", "#113874"],
  },
  primaryColor: "accent",
  primaryShade: { light: 7, dark: 6 },
  cursorType: "pointer",
  respectReducedMotion: true,
  focusRing: "auto",
  components: {
    ActionIcon: { defaultProps: { variant: "subtle", color: "gray", size: 32 } },
    Alert: { defaultProps: { variant: "light", radius: "md" } },
    Anchor: { defaultProps: { underline: "always" } }, // links in a text are told by more than colour
    Badge: { defaultProps: { variant: "light", tt: "none", fw: 500, radius: "sm" } },
    Button: { defaultProps: { size: "sm", fw: 500 } },
    InputWrapper: {
      styles: { description: { fontSize: "var(--mantine-font-size-xs)" }, error: { fontSize: "var(--mantine-font-size-xs)" } },
    },
    Menu: {
      defaultProps: { shadow: "md", radius: "md", withInitialFocusPlaceholder: false, transitionProps: { duration: 120 } },
    },
    Modal: {
      defaultProps: { centered: false, radius: "lg", transitionProps: { duration: 150 } },
      styles: { content: { background: "var(--rt-raised)" }, header: { background: "var(--rt-raised)" }, title: { fontWeight: 600 } },
    },
    Notification: { defaultProps: { closeButtonProps: { "aria-label": "Dismiss" } } },
    NavLink: { defaultProps: { variant: "subtle" } },
    Popover: { defaultProps: { shadow: "md", radius: "md", transitionProps: { duration: 120 } } },
    SegmentedControl: { defaultProps: { size: "sm", transitionDuration: 150 } },
    Tooltip: {
      defaultProps: { openDelay: 400, transitionProps: { duration: 120 }, events: { hover: true, focus: true, touch: false } },
    },
  },
});

export const cssVariables: CSSVariablesResolver = () => ({
  variables: sizes,
  light: { ...named("light"), ...ofMantine("light"), ...ofMeanings("light") },
  dark: { ...named("dark"), ...ofMantine("dark"), ...ofMeanings("dark") },
});

function named(scheme: Scheme): Record<string, string> {
  const index = scheme === "light" ? 0 : 1;
  return Object.fromEntries(Object.entries(tokens).map(([name, pair]) => [`--rt-${name}`, pair[index]]));
}

/** What Mantine's own components draw with, said in our tokens. */
function ofMantine(scheme: Scheme): Record<string, string> {
  return {
    "--mantine-color-body": "var(--rt-ground)",
    "--mantine-color-text": "var(--rt-text)",
    "--mantine-color-bright": "var(--rt-text)",
    "--mantine-color-dimmed": "var(--rt-dimmed)",
    "--mantine-color-placeholder": "var(--rt-faint)",
    "--mantine-color-anchor": "var(--rt-accent)",
    "--mantine-color-error": "var(--rt-red)",
    "--mantine-color-success": "var(--rt-green)",
    "--mantine-color-default": "var(--rt-raised)",
    "--mantine-color-default-color": "var(--rt-text)",
    "--mantine-color-default-hover": "var(--rt-hover)",
    "--mantine-color-default-border": "var(--rt-line-strong)",
    "--mantine-color-disabled": "var(--rt-sunken)",
    "--mantine-color-disabled-color": "var(--rt-faint)",
    "--mantine-color-disabled-border": "var(--rt-line)",
    "--mantine-color-gray-text": "var(--rt-dimmed)",
    "--mantine-color-gray-light": "var(--rt-hover)",
    "--mantine-color-gray-light-hover": "var(--rt-selected)",
    "--mantine-color-gray-light-color": "var(--rt-dimmed)",
    "--mantine-color-gray-filled": scheme === "light" ? "#655f56" : "#45413c",
    "--mantine-color-gray-outline": "var(--rt-line-strong)",
    "--mantine-primary-color-contrast": "#ffffff",
  };
}

function ofMeanings(scheme: Scheme): Record<string, string> {
  const made: Record<string, string> = {};
  for (const [color, token] of Object.entries(MEANINGS)) {
    const name = `--mantine-color-${color}`;
    made[`${name}-text`] = `var(--rt-${token})`;
    made[`${name}-light`] = `var(--rt-${token}-soft)`;
    made[`${name}-light-hover`] = `color-mix(in srgb, var(--rt-${token}-soft), var(--rt-${token}) 8%)`;
    made[`${name}-light-color`] = `var(--rt-${token})`;
    made[`${name}-outline`] = `var(--rt-${token})`;
    made[`${name}-outline-hover`] = `var(--rt-${token}-soft)`;
    if (scheme === "dark") {
      made[`${name}-filled`] = `var(--mantine-color-${color}-${color === "accent" ? 6 : 7})`;
      made[`${name}-filled-hover`] = `var(--mantine-color-${color}-${color === "accent" ? 7 : 8})`;
    }
  }
  return made;
}
