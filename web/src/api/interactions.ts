/** Turns: the log, one with its steps, and what can be done with it. */
import {
  useInfiniteQuery, useMutation, useQuery, useQueryClient, type InfiniteData, type QueryClient,
} from "@tanstack/react-query"; // prettier-ignore

import { api, unwrap, type Schemas } from "./client";
import { FROZEN } from "./frozen";
import { keys } from "./keys";
import type { paths } from "./schema";

export type Interaction = Schemas["InteractionView"];
export type Step = Schemas["StepView"];
export type Wait = Schemas["Wait"];
export type Answer = Schemas["Answer"];
export type Difference = Schemas["Difference"];
export type Prompt = Schemas["RebuiltPrompt"];
export type StepDetail = Schemas["StepDetail"];
export type TurnConfig = Schemas["TurnConfig"];
export type InteractionPage = Schemas["Page_InteractionView_"];
export type InteractionFilters = Omit<
  NonNullable<paths["/v1/interactions"]["get"]["parameters"]["query"]>,
  "limit" | "after"
>;

const PAGE = 100;
const MOST = 200;

/** Kept apart from the lists that live events fetch again: rows must not move under whoever reads them. */
export function logKey(filters: InteractionFilters) {
  return [...keys.interactions.all, "log", filters] as const;
}

async function fetchPage(filters: InteractionFilters, limit: number, after?: string): Promise<InteractionPage> {
  return unwrap(api.GET("/v1/interactions", { params: { query: { ...filters, limit, after } } }));
}

/** The rows as they were when they were loaded; see `features/activity/useLog.ts` for how they stay current. */
export function useInteractionLog(filters: InteractionFilters) {
  return useInfiniteQuery({
    queryKey: logKey(filters),
    queryFn: ({ pageParam }): Promise<InteractionPage> => fetchPage(filters, PAGE, pageParam ?? undefined),
    ...FROZEN,
  });
}

export type LogData = InfiniteData<InteractionPage>;

/** The first page as it is now, to compare with. */
export function useInteractionHead(filters: InteractionFilters, enabled: boolean) {
  return useQuery({
    queryKey: [...keys.interactions.all, "head", filters],
    queryFn: () => fetchPage(filters, PAGE),
    enabled,
    staleTime: 0,
    meta: { live: false },
  });
}

export function fetchInteraction(client: QueryClient, id: string): Promise<Interaction> {
  return client.query({ queryKey: keys.interactions.one(id), queryFn: () => getOne(id), staleTime: 0 });
}

/** Everything that fits, for an export: at most ten thousand. */
export async function allInteractions(filters: InteractionFilters, most = 10_000): Promise<Interaction[]> {
  const rows: Interaction[] = [];
  let after: string | undefined;
  do {
    const page = await fetchPage(filters, MOST, after);
    rows.push(...page.data);
    after = page.next ?? undefined;
  } while (after && rows.length < most);
  return rows.slice(0, most);
}

async function getOne(id: string): Promise<Interaction> {
  return unwrap(api.GET("/v1/interactions/{interaction_id}", { params: { path: { interaction_id: id } } }));
}

export function useInteraction(id: string) {
  return useQuery({ queryKey: keys.interactions.one(id), queryFn: () => getOne(id) });
}

/** Turns that this one has started by delegation, each with its steps. */
export function useInteractionChildren(interaction: Interaction) {
  const client = useQueryClient();
  const { id } = interaction;
  return useQuery({
    queryKey: [...keys.interactions.one(id), "children"],
    queryFn: async () => {
      const { data } = await fetchPage({ parent_id: id, sort: "oldest" }, MOST);
      return Promise.all(data.map((child) => fetchInteraction(client, child.id)));
    },
  });
}

/** One step with its references resolved. Asked again when the step has moved on. */
export function useStep(id: string, step: Step) {
  return useQuery({
    queryKey: [...keys.interactions.step(id, step.seq), step.state, step.attempt],
    queryFn: () =>
      unwrap(
        api.GET("/v1/interactions/{interaction_id}/steps/{seq}", {
          params: { path: { interaction_id: id, seq: step.seq } },
        }),
      ),
  });
}

/** The exact prompt of a model call, rebuilt by the server when it is asked for. */
export function usePrompt(id: string, seq: number, enabled: boolean) {
  return useQuery({
    queryKey: keys.interactions.prompt(id, seq),
    queryFn: () =>
      unwrap(
        api.GET("/v1/interactions/{interaction_id}/steps/{seq}/prompt", { params: { path: { interaction_id: id, seq } } }),
      ),
    enabled,
  });
}

/** The configuration the turn runs on, beside the agent's present one. */
export function useConfig(id: string, enabled: boolean) {
  return useQuery({
    queryKey: keys.interactions.config(id),
    queryFn: () => unwrap(api.GET("/v1/interactions/{interaction_id}/config", { params: { path: { interaction_id: id } } })),
    enabled,
  });
}

export function useCancelInteraction() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      unwrap(api.POST("/v1/interactions/{interaction_id}/cancel", { params: { path: { interaction_id: id } } })),
    onSettled: (_, __, id) => client.invalidateQueries({ queryKey: keys.interactions.one(id) }),
  });
}

export function useRetryInteraction() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      unwrap(api.POST("/v1/interactions/{interaction_id}/retry", { params: { path: { interaction_id: id } } })),
    onSettled: (_, __, id) => client.invalidateQueries({ queryKey: keys.interactions.one(id) }),
  });
}

export function useAnswerWait() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ wait, answer }: { wait: Wait; answer: Answer }) =>
      unwrap(api.POST("/v1/waits/{wait_id}/answer", { params: { path: { wait_id: wait.id } }, body: answer })),
    onSettled: async (_, __, { wait }) => {
      await client.invalidateQueries({ queryKey: keys.waits.all });
      if (wait.interaction_id) await client.invalidateQueries({ queryKey: keys.interactions.one(wait.interaction_id) });
    },
  });
}
