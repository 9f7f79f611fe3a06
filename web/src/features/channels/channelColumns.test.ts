import { expect, test } from "vitest";

import { tooNarrow } from "@/ui/table/columns";

import { columns } from "./channelColumns";

test("the columns of the list of channels fit at every width", () => {
  expect(tooNarrow(columns)).toEqual([]);
});
