/** The people of the account, as everyone sees them. Managing them is members.ts. */
import { useQuery } from "@tanstack/react-query";

import { api, unwrap } from "./client";
import { keys } from "./keys";
import { everyPage } from "./pages";

export function useUsers() {
  return useQuery({
    queryKey: keys.users.list(),
    queryFn: () =>
      everyPage((after) => unwrap(api.GET("/v1/users", { params: { query: { limit: 200, ...(after ? { after } : {}) } } }))),
  });
}
