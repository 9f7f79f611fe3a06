/** Trying a model for real. Which providers there are is models.ts. */
import { useMutation } from "@tanstack/react-query";

import { api, unwrap, type Schemas } from "./client";

export type ModelTest = Schemas["ModelTestResult"];

/** One small real request; a refusal of the provider is an answer (`ok` false), not an error. */
export function useTestModel() {
  return useMutation({
    mutationFn: (model: string | null) => unwrap(api.POST("/v1/models/test", { body: { model } })),
  });
}
