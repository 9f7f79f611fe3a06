import { expect, test } from "vitest";

import { slugOf } from "./slugs";

test.each([
  ["Customer care", "customer-care"],
  [" Équipe  n° 1 ", "equipe-n-1"],
  ["猫", "team"],
  ["x".repeat(100), "x".repeat(60)],
])("%s becomes %s", (name, slug) => expect(slugOf(name)).toBe(slug));
