/**
 * What the reading side needs to know of markdown before it is parsed. Pure; knows no React and no parser.
 *
 * A streaming text is cut into blocks that do not change any more once the next has begun, so that each new piece costs
 * the parsing of the last block only. `blocks(text).join("") === text`.
 */

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const LIST = /^ {0,3}(?:[-+*]|\d{1,9}[.)])(?:\s|$)/;
const INDENTED = /^(?: {2,}|\t)\S/;
/** Definitions and footnotes speak about the whole text: such a text stays in one piece. */
const WHOLE = /^ {0,3}\[[^\]\n]{1,200}\]:/m;
const DISPLAY = /^ {0,3}(\$\$|\\\[)/;
const DISPLAY_END = { $$: /\$\$\s*$/, "\\[": /\\\]\s*$/ } as const;

/** Top-level blocks in order; together they are the text. */
export function blocks(text: string): string[] {
  if (WHOLE.test(text)) return [text];
  const found: string[] = [];
  let block = "";
  let inside: RegExp | null = null;
  let blank = false;
  for (const line of lines(text)) {
    if (!inside && blank && line.trim() && !continues(block, line)) {
      found.push(block);
      block = "";
    }
    inside = inside ? (inside.test(line) ? null : inside) : opens(line);
    blank = !inside && line.trim() === "";
    block += line;
  }
  return block ? [...found, block] : found;
}

function lines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** Whether a line after a blank one still belongs to the block: lists go on, and what is indented below them. */
function continues(block: string, line: string): boolean {
  return LIST.test(block) && (LIST.test(line) || INDENTED.test(line));
}

/** What ends the fence or the display math that this line opens; null when it opens none. */
function opens(line: string): RegExp | null {
  const fence = FENCE.exec(line)?.[1];
  if (fence) return new RegExp(`^ {0,3}\\${fence.charAt(0)}{${fence.length},}\\s*$`);
  const display = DISPLAY.exec(line)?.[1] as keyof typeof DISPLAY_END | undefined;
  if (!display) return null;
  const end = DISPLAY_END[display];
  return end.test(line.trim().slice(2)) ? null : end;
}

// ── math ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const CODE = /(^ {0,3}(`{3,}|~{3,})[^\n]*\n[\s\S]*?(?:^ {0,3}\2[`~]*[ \t]*$|$(?![\s\S]))|(`+)(?!`)[\s\S]*?(?<!`)\3(?!`))/gm;
const MATH = [
  /\\\[([\s\S]+?)\\\]/g,
  /\\\(([^\n]+?)\\\)/g,
  /(?<![\\$\w])\$(?![\s$])((?:[^$\n\\]|\\[^\n])+?)(?<![\s\\])\$(?![\d$\w])/g,
] as const;

/** A formula that has its line for itself is set as one, though it begins and ends on it. */
const ALONE = /^( {0,3})\$\$([^\n$]+)\$\$[ \t]*$/gm;

/** One way to write math for the parser: `$$x$$`. Sums of money are left alone; code is never touched. */
export function withMath(text: string): string {
  if (!/[$]|\\[([]/.test(text)) return text;
  return outsideCode(text, (part) =>
    part
      .replace(ALONE, (_, space: string, inner: string) => `${space}$$\n${space}${inner.trim()}\n${space}$$`)
      .replace(MATH[0], (_, inner: string) => `\n$$\n${inner.trim()}\n$$\n`)
      .replace(MATH[1], (_, inner: string) => `$$${inner.trim()}$$`)
      .replace(MATH[2], (_, inner: string) => `$$${inner}$$`),
  );
}

/** Whether a text, after `withMath`, has anything to typeset. */
export function hasMath(text: string): boolean {
  let found = false;
  outsideCode(text, (part) => {
    found ||= part.includes("$$");
    return part;
  });
  return found;
}

function outsideCode(text: string, change: (part: string) => string): string {
  let out = "";
  let from = 0;
  for (const code of text.matchAll(CODE)) {
    out += change(text.slice(from, code.index)) + code[0];
    from = code.index + code[0].length;
  }
  return out + change(text.slice(from));
}

// ── links ──────────────────────────────────────────────────────────────────────────────────────────────────────────

const SAFE = new Set(["http:", "https:", "mailto:"]);
const OWN_FILE = /^\/v1\/files\/file_[a-z0-9]{10,40}(?:\/[a-z_]{1,20})?$/;

/** The address if people may be sent there, else null. Relative addresses lead nowhere. */
export function safeLink(address: string | null | undefined): string | null {
  const plain = (address ?? "").trim();
  try {
    const url = new URL(plain);
    return SAFE.has(url.protocol) ? plain : null;
  } catch {
    return null;
  }
}

/** The address if it is a file kept here, which may be shown as an image. */
export function ownImage(address: string | null | undefined): string | null {
  return OWN_FILE.test(address ?? "") ? (address ?? null) : null;
}

// ── code ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The language of ```` ```python title=x ````, from the class the parser gives. */
export function language(className: string | undefined): string | null {
  return /\blanguage-([\w+#.-]{1,30})/.exec(className ?? "")?.[1]?.toLowerCase() ?? null;
}

// ── plain words ────────────────────────────────────────────────────────────────────────────────────────────────────

const MARKS: readonly (readonly [RegExp, string])[] = [
  [/^ {0,3}(?:`{3,}|~{3,}).*$/gm, " "],
  [/^ {0,3}(?:#{1,6}|>)\s+/gm, ""],
  [/!?\[([^\]\n]*)\]\([^)\n]*\)/g, "$1"],
  [/(\*\*|__|~~)(?=\S)(.+?)(?<=\S)\1/g, "$2"],
  [/(?<![\w*])\*(?=[^\s*])(.+?)(?<=[^\s*])\*(?![\w*])/g, "$1"],
  [/(?<!`)(`+)(?!`)([^\n]+?)(?<!`)\1(?!`)/g, "$2"],
];

/** The words of a text without the marks of markdown: for one line that stands for it. Not exact, and need not be. */
export function plainWords(text: string): string {
  return MARKS.reduce((rest, [mark, put]) => rest.replace(mark, put), text);
}
