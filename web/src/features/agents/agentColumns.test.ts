import { expect, test } from "vitest";

import { tooNarrow } from "@/ui/table/columns";

import { columns } from "./agentColumns";

test("the columns of the list of agents fit at every width", () => {
  expect(tooNarrow(columns)).toEqual([]);
});
