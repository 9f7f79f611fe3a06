import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { expect, test } from "vitest";

import { freshen } from "./freshen";

test("news that comes while a first load is under way is not missed", async () => {
  const client = new QueryClient();
  const answers = ["before the news", "after the news"];
  const held: (() => void)[] = [];
  const queryFn = async () => {
    const answer = answers.shift();
    if (answers.length) await new Promise<void>((done) => held.push(done));
    return answer;
  };
  const stop = new QueryObserver(client, { queryKey: ["said"], queryFn }).subscribe(() => undefined);
  const news = freshen(client, ["said"]);
  held.forEach((done) => done());
  await news;
  expect(client.getQueryData(["said"])).toBe("after the news");
  stop();
});
