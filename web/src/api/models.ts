/** Which language models answer here. */
import { useQuery } from "@tanstack/react-query";

import { api, unwrap } from "./client";
import { keys } from "./keys";

export function useModels() {
  return useQuery({ queryKey: keys.models, queryFn: () => unwrap(api.GET("/v1/models")) });
}
