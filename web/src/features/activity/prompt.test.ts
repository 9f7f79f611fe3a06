import { describe, expect, it } from "vitest";

import type { Prompt } from "@/api/interactions";

import { blocksOf } from "./prompt";

describe("a rebuilt prompt", () => {
  it("is instructions first, then each message by who says it", () => {
    const request = {
      system: "Be brief.",
      messages: [
        { role: "user", name: "Ada", parts: [{ kind: "text", text: "Weather?" }] },
        { role: "assistant", name: null, parts: [{ kind: "tool-call", call: { tool: "get_weather", arguments: { city: "Berlin" }, malformed: null } }] },
        { role: "tool", name: null, parts: [{ kind: "tool-result", tool_name: "get_weather", ok: false, result: "timeout" }] },
      ],
    } as unknown as Prompt["request"];
    expect(blocksOf(request)).toEqual([
      { role: "system", title: "Instructions", pieces: [{ kind: "text", text: "Be brief." }] },
      { role: "user", title: "Person, Ada", pieces: [{ kind: "text", text: "Weather?" }] },
      { role: "assistant", title: "Agent", pieces: [{ kind: "json", title: "Calls Get weather", value: { city: "Berlin" } }] },
      { role: "tool", title: "Tool result", pieces: [{ kind: "json", title: "Get weather failed with", value: "timeout" }] },
    ]);
  });
});
