import { expect, test } from "vitest";

import { tooNarrow } from "@/ui/table/columns";

import { auditColumns } from "./auditColumns";

test("the columns of the record fit at every width", () => {
  const nobody = (): undefined => undefined;
  expect(tooNarrow(auditColumns({ agent: nobody, channel: nobody, person: nobody, team: nobody }))).toEqual([]);
});
