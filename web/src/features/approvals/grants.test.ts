import { expect, test } from "vitest";

import type { Grant } from "@/api/approvals";

import { grantScope, grantTitle } from "./grants";

const grant = {
  agent_name: "Ledger", tool: "send_invoice", channel_id: "ch_1", channel_name: "Orders", user_id: "usr_1", user_name: "Ada",
  arguments_hash: null,
} as Grant; // prettier-ignore

test("a standing approval says who may do what, where, for whom and with what", () => {
  expect(grantTitle(grant)).toBe("Ledger may use Send invoice");
  expect(grantScope(grant, "usr_2")).toBe("In Orders, for Ada, with any arguments");
  expect(grantScope(grant, "usr_1")).toBe("In Orders, for you, with any arguments");
  const wide = { ...grant, channel_id: null, user_id: null, arguments_hash: "ab" };
  expect(grantScope(wide, "usr_1")).toBe("Everywhere, for anybody, with the same arguments");
});
