import { expect, test } from "vitest";

import { freeHandle } from "./handles";

test("a free handle stays, a taken one gets the next free number", () => {
  expect(freeHandle("ann", [])).toBe("ann");
  expect(freeHandle("ann", [{ slug: "ann" }, { slug: "ann-2" }])).toBe("ann-3");
});
