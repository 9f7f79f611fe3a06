import { describe, expect, it } from "vitest";

import { reasonOf, whyAgain, whyEnded, whyStepFailed } from "./reasons";

const turn = { state: "failed", error: "model_refused", error_detail: null, stop_reason: null, retries: 0 };

describe("why something ended", () => {
  it("is told in the server's words where there are some", () => {
    expect(whyEnded({ ...turn, error_detail: "The key was refused (401)." })).toBe("The key was refused (401).");
    expect(whyEnded(turn)).toBe("The model's provider refused the request.");
  });

  it("is nothing for a turn that went well, even when an earlier try failed", () => {
    expect(whyEnded({ ...turn, state: "succeeded" })).toBeNull();
    expect(whyEnded({ ...turn, state: "succeeded", stop_reason: "step_limit" })).toBe("The turn reached its limit of steps.");
  });

  it("is told while it waits for another try", () => {
    expect(whyAgain({ ...turn, state: "queued", retries: 1, error: "model_unavailable" })).toBe("The model was not reachable.");
    expect(whyAgain({ ...turn, state: "running", retries: 1 })).toBeNull();
  });

  it("is spelt out for a code nobody knows", () => {
    expect(reasonOf("moon_in_the_way")).toBe("Moon in the way.");
  });

  it("of a step is the tool's own detail first", () => {
    const output = { error: "endpoint_error", detail: "There is no weather station in Atlantis." };
    expect(whyStepFailed({ state: "failed", error: "endpoint_error", output })).toBe(output.detail);
    expect(whyStepFailed({ state: "failed", error: "timeout", output: { content: output } })).toBe(output.detail);
    expect(whyStepFailed({ state: "failed", error: "timeout", output: null })).toBe("The tool did not answer in time.");
    expect(whyStepFailed({ state: "success", error: null, output: null })).toBeNull();
  });
});
