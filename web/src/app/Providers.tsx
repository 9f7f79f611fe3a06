import { localStorageColorSchemeManager, MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";

import { onSignedOut } from "@/api/client";
import { cssVariables, theme } from "@/theme";
import { Notices } from "@/ui/notices";
import { Tips } from "@/ui/Tips";

import { createClient } from "./client";
import { createAppRouter } from "./router";
import { comingFrom } from "./search";

const client = createClient();
const router = createAppRouter(client);
const scheme = localStorageColorSchemeManager({ key: "retinue-color-scheme" });

onSignedOut(() => {
  const { pathname, href } = router.state.location;
  if (pathname === "/sign-in") return;
  client.clear();
  void router.navigate({ to: "/sign-in", search: comingFrom(href), replace: true });
});

/** Everything around the pages: theme, cache, notices, routes. */
export function Providers() {
  return (
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto" colorSchemeManager={scheme}>
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
        {/* Mantine's menus, dialogs and notices are drawn in here, so that they too lie in a landmark */}
        <div role="region" aria-label="Menus and notices" data-mantine-shared-portal-node="true">
          <Tips />
        </div>
        <Notices />
      </QueryClientProvider>
    </MantineProvider>
  );
}
