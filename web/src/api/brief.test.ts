import { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { BRIEFLY, putBriefly } from "./brief";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("what nothing shows is let go soon, however long other answers are kept", () => {
  const client = new QueryClient({ defaultOptions: { queries: { gcTime: 30 * 60_000 } } });
  putBriefly(client, ["reply", "1"], { text: "long" });
  client.setQueryData(["channel"], 1);
  expect(client.getQueryData(["reply", "1"])).toEqual({ text: "long" });
  vi.advanceTimersByTime(BRIEFLY + 1);
  expect(client.getQueryData(["reply", "1"])).toBeUndefined();
  expect(client.getQueryData(["channel"])).toBe(1);
});

test("what is there already changes in place", () => {
  const client = new QueryClient();
  const seen: unknown[] = [];
  const watch = client.getQueryCache().subscribe(({ query }) => seen.push(query.state.data));
  putBriefly(client, ["turn"], 1);
  putBriefly(client, ["turn"], 2);
  watch();
  expect(seen).toContain(2);
  expect(client.getQueryCache().getAll()).toHaveLength(1);
});
