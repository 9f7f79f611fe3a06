import { expect, it } from "vitest";

import { sumWords } from "./preview";

const shifts = [
  { before: "allow", after: "deny", count: 3 },
  { before: "allow", after: "ask", count: 9 },
] as const;

it("says of how many calls it would have made something else", () => {
  const found = { kind: "calls", judged: 214, complete: true } as const;
  expect(sumWords({ ...found, shifts: [...shifts] })).toBe("Of 214 calls of tools, 12 would have gone otherwise.");
  expect(sumWords({ ...found, shifts: [], judged: 1 })).toBe("Of 1 call of a tool, none would have gone otherwise.");
  expect(sumWords({ ...found, shifts: [], judged: 0 })).toBe("There was no call of a tool it speaks of.");
});

it("says when it looked at the newest only, and when there is nothing to look at", () => {
  expect(sumWords({ kind: "models", judged: 2000, complete: false, shifts: [] })).toBe(
    "Of the newest 2,000 calls of models, none would have gone otherwise.",
  );
  expect(sumWords({ kind: "none", judged: 0, complete: true, shifts: [] })).toMatch(/nothing to compare/);
});
