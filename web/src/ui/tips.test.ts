import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { DELAY_MS, placeTip, type Tip, watchTips } from "./tips";

let sight: (seen: boolean) => void = () => undefined;
let shown: Tip | null = null;
let end: () => void = () => undefined;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal(
    "IntersectionObserver",
    class {
      constructor(then: (entries: { isIntersecting: boolean }[]) => void) {
        sight = (isIntersecting) => then([{ isIntersecting }]);
      }
      observe = vi.fn();
      disconnect = vi.fn();
    },
  );
  vi.spyOn(Element.prototype, "matches").mockReturnValue(true); // jsdom knows no :focus-visible
  const target = document.createElement("button");
  target.dataset["tip"] = "Copy";
  target.append(document.createElement("svg"));
  document.body.replaceChildren(target, document.createElement("p"));
  end = watchTips((tip) => (shown = tip));
});

afterEach(() => {
  end();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const button = () => document.querySelector("button")!;

function point(at: Element, pointerType = "mouse"): void {
  at.dispatchEvent(Object.assign(new Event("pointerover", { bubbles: true }), { pointerType }));
}

test("a tip comes to who stays, also over a part of the target, and goes with the pointer", () => {
  point(document.querySelector("svg")!);
  expect(shown).toBeNull();
  vi.advanceTimersByTime(DELAY_MS);
  expect(shown).toEqual({ target: button(), text: "Copy" });
  point(document.querySelector("p")!);
  expect(shown).toBeNull();
});

test("who only passes by is told nothing, nor is a finger", () => {
  point(button());
  point(document.querySelector("p")!);
  vi.advanceTimersByTime(DELAY_MS);
  expect(shown).toBeNull();
  point(button(), "touch");
  vi.advanceTimersByTime(DELAY_MS);
  expect(shown).toBeNull();
});

test("the keyboard is told at once; Escape and leaving take the tip away", () => {
  button().focus();
  expect(shown?.text).toBe("Copy");
  document.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
  expect(shown).toBeNull();
  button().blur();
  button().focus();
  expect(shown?.text).toBe("Copy");
  button().blur();
  expect(shown).toBeNull();
});

test("words that change are said, and what has gone from sight says nothing", async () => {
  button().focus();
  button().dataset["tip"] = "Copied";
  await vi.waitFor(() => expect(shown?.text).toBe("Copied"));
  sight(false);
  expect(shown).toBeNull();
});

test("a tip stands above the middle, below where there is no room, and always within the window", () => {
  const tip = { width: 60, height: 20 };
  expect(placeTip({ left: 100, top: 100, bottom: 130, width: 20 }, tip, 800)).toEqual({ left: 80, top: 75 });
  expect(placeTip({ left: 100, top: 10, bottom: 40, width: 20 }, tip, 800)).toEqual({ left: 80, top: 45 });
  expect(placeTip({ left: 0, top: 100, bottom: 130, width: 20 }, tip, 800).left).toBe(8);
  expect(placeTip({ left: 790, top: 100, bottom: 130, width: 10 }, tip, 800).left).toBe(732);
});
