import { expect, test } from "vitest";

import { everyPage } from "./pages";

test("reads page after page until there is no next", async () => {
  const asked: (string | undefined)[] = [];
  const found = await everyPage((after) => {
    asked.push(after);
    return Promise.resolve(after ? { data: [3], next: null } : { data: [1, 2], next: "b" });
  });
  expect(found).toEqual([1, 2, 3]);
  expect(asked).toEqual([undefined, "b"]);
});

test("a list that never ends is cut off", async () => {
  let pages = 0;
  await everyPage(() => Promise.resolve({ data: [(pages += 1)], next: "more" }));
  expect(pages).toBe(50);
});
