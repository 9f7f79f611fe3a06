/** Tools that agents can be given: those of code first, then those registered here. */
import { useQuery } from "@tanstack/react-query";

import { api, unwrap, type Schemas } from "./client";
import { keys } from "./keys";
import { everyPage } from "./pages";

export type Tool = Schemas["ToolView"];

export function useTools() {
  return useQuery({
    queryKey: keys.tools.list(),
    queryFn: () =>
      everyPage((after) => unwrap(api.GET("/v1/tools", { params: { query: { limit: 200, ...(after ? { after } : {}) } } }))),
  });
}
