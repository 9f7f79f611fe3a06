import { expect, test } from "vitest";

import { tooNarrow } from "@/ui/table/columns";

import { columns } from "./columns";

test("the columns of the list of turns fit at every width", () => {
  expect(tooNarrow(columns)).toEqual([]);
});
