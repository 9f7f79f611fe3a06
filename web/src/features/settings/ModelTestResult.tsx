/** What one real request to a model gave: its answer and how long it took, or the provider's own words. */
import { useTestModel, type ModelTest } from "@/api/providers";
import { ApiError } from "@/api/client";
import { duration } from "@/lib/time";
import { StateDot } from "@/ui/StateDot";

import classes from "./SettingsPage.module.css";

interface Test {
  data: ModelTest | null;
  error: unknown;
  isPending: boolean;
  run: (model: string | null) => void;
}

export function useModelTest(): Test {
  const test = useTestModel();
  return { data: test.data ?? null, error: test.error ?? null, isPending: test.isPending, run: (model) => test.mutate(model) };
}

export function ModelTestResult({ test }: { test: Test }) {
  if (test.isPending) return <Box ok={null}>Asking the model for one word…</Box>;
  if (test.error) {
    const detail = test.error instanceof ApiError ? test.error.detail : "Try again in a moment.";
    return (
      <Box ok={false}>
        <StateDot meaning="attention" label="Couldn't test it" />
        <span>{detail}</span>
      </Box>
    );
  }
  const { data } = test;
  if (!data) return null;
  return (
    <Box ok={data.ok}>
      <StateDot
        meaning={data.ok ? "well" : "attention"}
        label={`${data.model} ${data.ok ? "answered" : "failed"} after ${duration(data.latency_ms)}`}
      />
      {data.ok ? data.reply && <span>“{data.reply.trim()}”</span> : <span>{data.error?.detail}</span>}
    </Box>
  );
}

function Box({ ok, children }: { ok: boolean | null; children: React.ReactNode }) {
  return (
    <div className={classes.result} data-ok={ok ?? undefined} role="status" style={{ flexBasis: "100%" }}>
      {children}
    </div>
  );
}
