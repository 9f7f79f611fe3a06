import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { Finding, Report, SealState } from "@/api/audit";
import { setPlace } from "@/lib/time";

import { reportWords, sealWords, told } from "./sealing";

const NOW = Date.parse("2022-02-22T20:00:00Z");
const LINE = "aud_01fwhe4ydgfk1shh6w1g60eecf"; // of 19:22:22

beforeEach(() => setPlace("en-GB", "UTC"));
afterEach(() => setPlace(undefined, undefined));

function state(given: Partial<SealState>): SealState {
  return { seals: 1, hash: "ab", key_id: "cd", sealed_at: "2022-02-22T19:03:12Z", unsealed: 0, ...given };
}

function report(seals: number, lines: number, faults: number): Report {
  return { seals, lines, faults } as Report;
}

function finding(given: Partial<Finding>): Finding {
  return { fault: "line_changed", seal: 3, at: 12, line_id: LINE, detail: "in the words of a file", ...given };
}

describe("seals", () => {
  it("say how far they go and what waits", () => {
    expect(sealWords(state({ unsealed: 12 }), NOW)).toBe("Sealed until 19:03:12 · 12 lines waiting");
    expect(sealWords(state({ unsealed: 1 }), NOW + 86_400_000)).toBe("Sealed until 22 Feb, 19:03:12 · 1 line waiting");
    expect(sealWords(state({ sealed_at: null }), NOW)).toBe("Nothing sealed yet · no line waiting");
  });

  it("come to one sentence when they are verified", () => {
    expect(reportWords(report(60, 1204, 0))).toBe("Whole: 1,204 lines under 60 seals.");
    expect(reportWords(report(1, 9, 2))).toBe("2 findings in 9 lines under 1 seal.");
    expect(reportWords(report(0, 0, 0))).toMatch(/^Nothing is sealed yet/);
  });

  it("name a line by its time, and what has none in the server's words", () => {
    expect(told(finding({}), NOW)).toEqual({
      line: { id: LINE, label: "The line of 19:22:22" },
      words: "is not as it was sealed (seal 3).",
    });
    const missing = finding({ fault: "line_missing", line_id: null, detail: "Line 2 of the 9 of seal 3 is missing." });
    expect(told(missing, NOW)).toEqual({ line: null, words: "Line 2 of the 9 of seal 3 is missing." });
  });
});
