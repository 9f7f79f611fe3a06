import { expect, it } from "vitest";

import { titleOf } from "./titles";

const names = { channel: (id: string) => ({ ch_1: "general" })[id], agent: (id: string) => ({ agt_1: "Assistant" })[id] };

it.each([
  ["/", "Welcome"],
  ["/channels", "Channels"],
  ["/channels/ch_1", "general"],
  ["/channels/ch_2", "Channel"],
  ["/activity", "Activity"],
  ["/activity/int_1", "Turn"],
  ["/audit", "Audit"],
  ["/usage", "Usage"],
  ["/policies", "Policies"],
  ["/policies/new", "New policy"],
  ["/policies/explain", "Explain a call"],
  ["/policies/pol_1", "Policy"],
  ["/agents", "Agents"],
  ["/agents/new", "New agent"],
  ["/agents/agt_1", "Assistant"],
  ["/agents/agt_1/edit", "Edit Assistant"],
  ["/settings/models", "Models settings"],
  ["/nowhere", "Not found"],
])("%s is called %s", (path, title) => expect(titleOf(path, names)).toBe(title));
