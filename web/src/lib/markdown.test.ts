import { describe, expect, test } from "vitest";

import { blocks, hasMath, language, ownImage, plainWords, safeLink, withMath } from "./markdown";

const LONG = [
  "# Title",
  "",
  "A paragraph",
  "over two lines.",
  "",
  "- one",
  "- two",
  "",
  "  more of two",
  "",
  "- three",
  "",
  "```python",
  "def f():",
  "",
  "    return 1",
  "```",
  "",
  "| a | b |",
  "|---|---|",
  "| 1 | 2 |",
  "",
  "$$",
  "x",
  "",
  "y",
  "$$",
  "",
  "The end.",
].join("\n");

describe("blocks", () => {
  test("paragraphs, lists, fences, tables and display math each are one", () => {
    expect(blocks(LONG).map((block) => block.split("\n")[0])).toEqual([
      "# Title",
      "A paragraph",
      "- one",
      "```python",
      "| a | b |",
      "$$",
      "The end.",
    ]);
  });

  test("together they are the text, at every moment of a stream", () => {
    for (let end = 0; end <= LONG.length; end += 1) {
      expect(blocks(LONG.slice(0, end)).join("")).toBe(LONG.slice(0, end));
    }
  });

  test("a block does not change once two more have begun", () => {
    let before: string[] = [];
    for (let end = 0; end <= LONG.length; end += 1) {
      const now = blocks(LONG.slice(0, end));
      const settled = before.slice(0, -2);
      expect(now.slice(0, settled.length)).toEqual(settled);
      before = now;
    }
  });

  test("a fence that is not closed yet runs to the end", () => {
    expect(blocks("```\na\n\nb\n\nc")).toEqual(["```\na\n\nb\n\nc"]);
  });

  test("a shorter fence inside a longer one does not end it", () => {
    expect(blocks("````\n```\n\nx\n```\n````\n\ny")).toHaveLength(2);
  });

  test("ordered lists with blank lines keep their numbers", () => {
    expect(blocks("1. one\n\n2. two\n\n3. three")).toHaveLength(1);
  });

  test("a text with definitions stays whole", () => {
    expect(blocks("See [a].\n\nMore.\n\n[a]: https://example.org")).toHaveLength(1);
  });

  test("nothing is nothing", () => {
    expect(blocks("")).toEqual([]);
  });
});

describe("math", () => {
  test.each([
    ["so $x^2$ is", "so $$x^2$$ is"],
    ["so \\(x\\) is", "so $$x$$ is"],
    ["\\[x\\]", "\n$$\nx\n$$\n"],
    ["it is\n\n$$x = 1$$\n\nso", "it is\n\n$$\nx = 1\n$$\n\nso"],
    ["$a$, $b$", "$$a$$, $$b$$"],
  ])("%s", (text, wanted) => {
    expect(withMath(text)).toBe(wanted);
    expect(hasMath(withMath(text))).toBe(true);
  });

  test.each([
    "It costs $5 and $10.",
    "from $5–$10 a month",
    "US$5 or A$6",
    "`$x$` in code",
    "```\n$x$ and \\(y\\)\n```",
    "a \\$x$ escape",
    "$ x $",
    "echo $HOME and $PATH",
  ])("%s is left alone", (text) => {
    expect(withMath(text)).toBe(text);
    expect(hasMath(text)).toBe(false);
  });
});

describe("addresses", () => {
  test.each(["https://example.org/a?b=c", "http://localhost:8000", "mailto:a@example.org"])("%s is safe", (address) => {
    expect(safeLink(address)).toBe(address);
  });

  test.each([
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    " javascript:alert(1)",
    "\u0001javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "blob:https://example.org/1",
    "//example.org",
    "/v1/me",
    "x",
    "",
    undefined,
  ])("%s is not", (address) => {
    expect(safeLink(address)).toBeNull();
  });

  test("only files kept here are shown as images", () => {
    expect(ownImage("/v1/files/file_01m7z06ezdegfv8brz2nfy5mwb/content")).not.toBeNull();
    for (const address of [
      "https://example.org/x.png",
      "/v1/files/../me",
      "/v1/files/file_01m7z06ezdegfv8brz2nfy5mwb/content?x",
      "//v1/files/file_01m7z06ezdegfv8brz2nfy5mwb",
      "data:image/png;base64,AAAA",
    ]) {
      expect(ownImage(address)).toBeNull();
    }
  });
});

test("the language of code comes from its class", () => {
  expect(language("language-Python")).toBe("python");
  expect(language("language-c++")).toBe("c++");
  expect(language("other")).toBeNull();
  expect(language(undefined)).toBeNull();
});

test.each([
  ["About **4.71 € per bag**, as *you* said", "About 4.71 € per bag, as you said"],
  ["## Title\n> quoted `code` and [a link](https://example.org)", "Title\nquoted code and a link"],
  ["2 * 3 * 4 and snake_case_name stay", "2 * 3 * 4 and snake_case_name stay"],
])("a line that stands for a text has its words without marks: %s", (text, words) => {
  expect(plainWords(text)).toBe(words);
});
