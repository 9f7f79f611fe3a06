import { beforeEach, expect, test, vi } from "vitest";

import { Follower } from "./follower";

let grow: () => void = () => undefined;

beforeEach(() => {
  vi.stubGlobal(
    "ResizeObserver",
    class {
      constructor(then: () => void) {
        grow = then;
      }
      observe() {}
      disconnect() {}
    },
  );
});

/** A box of 500 px with content of any height. */
function box(height: number) {
  const heard = new Map<string, (event: object) => void>();
  const made = {
    scrollHeight: height,
    clientHeight: 500,
    top: 0,
    addEventListener: (name: string, then: (event: object) => void) => heard.set(name, then),
    fire: (name: string, event: object = {}) => heard.get(name)?.(event),
  };
  Object.defineProperty(made, "scrollTop", {
    get: () => made.top,
    set: (value: number) => (made.top = Math.max(0, Math.min(value, made.scrollHeight - 500))),
  });
  return made as typeof made & HTMLElement;
}

function at(start: boolean, height = 2000) {
  const follower = new Follower(start);
  const own = box(height);
  follower.attach(own, own);
  return { follower, own };
}

test("a reader at the end stays there, whatever grows", () => {
  const { own } = at(true);
  own.scrollHeight = 2600;
  grow();
  expect(own.scrollTop).toBe(2100);
});

test("from a reader who moves up, even a little at a time, nothing is taken", () => {
  const { follower, own } = at(true);
  for (let step = 0; step < 5; step += 1) {
    own.scrollTop -= 10;
    follower.onScroll();
    const before = own.scrollTop;
    own.scrollHeight += 20;
    grow();
    expect(own.scrollTop).toBe(before);
  }
  expect(follower.place.bottom).toBe(false);
});

test("whoever comes back to the end is followed again", () => {
  const { follower, own } = at(true);
  own.scrollTop = 100;
  follower.onScroll();
  expect(follower.place).toEqual({ bottom: false, far: true });
  own.scrollTop = 1500;
  follower.onScroll();
  own.scrollHeight = 2200;
  grow();
  expect(own.scrollTop).toBe(1700);
});

test("content that shrinks is not taken for the reader", () => {
  const { follower, own } = at(true);
  own.scrollHeight = 1800;
  own.scrollTop = 1300;
  follower.onScroll();
  expect(follower.place.bottom).toBe(true);
});

test("a turn of the wheel counts although the content shrinks at the same moment", () => {
  const { follower, own } = at(true);
  own.fire("wheel", { deltaY: -100 });
  own.scrollTop -= 100;
  own.scrollHeight = 1500;
  follower.onScroll();
  const before = own.scrollTop;
  own.scrollHeight = 1900;
  grow();
  expect(own.scrollTop).toBe(before);
});

test("one who was sent elsewhere is not followed until they ask", () => {
  const { follower, own } = at(false);
  own.scrollHeight = 3000;
  grow();
  expect(own.scrollTop).toBe(0);
  follower.toEnd();
  expect(own.scrollTop).toBe(2500);
});
