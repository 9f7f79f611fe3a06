/** Every address of the app. Pages are loaded when they are first gone to; where one came from is kept by the browser. */
import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";

import { ApiError } from "@/api/client";
import { meQuery } from "@/api/me";

import { NotFoundPage, PageError } from "./PageError";
import * as search from "./search";
import { Shell } from "./Shell";
import { start } from "./start";

interface Context {
  client: QueryClient;
}

const rootRoute = createRootRouteWithContext<Context>()({ component: Outlet, notFoundComponent: NotFoundPage });

const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/sign-in",
  validateSearch: search.signIn,
  component: lazyRouteComponent(() => import("@/features/signin/SignInPage")),
});

const conversation = () => import("@/features/conversation/ConversationPage");

/** All that takes being signed in. */
const shellRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: "shell",
  component: Shell,
  beforeLoad: async ({ context: { client }, location }) => {
    try {
      await client.query({ ...meQuery, staleTime: "static" });
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "not_signed_in") throw error;
      throw redirect({ to: "/sign-in", search: search.comingFrom(location.href), replace: true });
    }
  },
});

const startRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/",
  loader: async ({ context: { client } }) => {
    throw redirect({ ...(await start(client)), replace: true });
  },
});

const welcomeRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/welcome",
  component: lazyRouteComponent(() => import("@/features/welcome/WelcomePage")),
});

const channelsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/channels",
  validateSearch: search.maybeNew,
  component: lazyRouteComponent(() => import("@/features/channels/ChannelsPage")),
});

const channelRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/channels/$channelId",
  validateSearch: search.channel,
  component: lazyRouteComponent(conversation),
});

const activityRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/activity",
  validateSearch: search.activity,
  component: lazyRouteComponent(() => import("@/features/activity/ActivityPage")),
});

const interactionRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/activity/$interactionId",
  validateSearch: search.interaction,
  component: lazyRouteComponent(() => import("@/features/activity/InteractionPage")),
});

const approvalsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/approvals",
  validateSearch: search.approvals,
  component: lazyRouteComponent(() => import("@/features/approvals/ApprovalsPage")),
});

const auditRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/audit",
  validateSearch: search.audit,
  component: lazyRouteComponent(() => import("@/features/audit/AuditPage")),
});

const usageRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/usage",
  validateSearch: search.usage,
  component: lazyRouteComponent(() => import("@/features/usage/UsagePage")),
});

const policiesRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/policies",
  component: lazyRouteComponent(() => import("@/features/policies/PoliciesPage")),
});

const explainRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/policies/explain",
  validateSearch: search.explain,
  component: lazyRouteComponent(() => import("@/features/policies/ExplainPage")),
});

const newPolicyRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/policies/new",
  validateSearch: search.policy,
  component: lazyRouteComponent(() => import("@/features/policies/PolicyPage")),
});

const policyRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/policies/$policyId",
  component: lazyRouteComponent(() => import("@/features/policies/PolicyPage")),
});

const agentsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/agents",
  component: lazyRouteComponent(() => import("@/features/agents/AgentsPage")),
});

const newAgentRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/agents/new",
  component: lazyRouteComponent(() => import("@/features/agents/AgentEditPage")),
});

const agentRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/agents/$agentId",
  component: lazyRouteComponent(() => import("@/features/agents/AgentPage")),
});

const editAgentRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/agents/$agentId/edit",
  component: lazyRouteComponent(() => import("@/features/agents/AgentEditPage")),
});

const settingsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/settings",
  beforeLoad: () => {
    throw redirect({ to: "/settings/$section", params: { section: "profile" }, replace: true });
  },
});

const sectionRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/settings/$section",
  component: lazyRouteComponent(() => import("@/features/settings/SettingsPage")),
});

const missingRoute = createRoute({ getParentRoute: () => shellRoute, path: "$", component: NotFoundPage });

const routeTree = rootRoute.addChildren([
  signInRoute,
  shellRoute.addChildren([
    startRoute,
    welcomeRoute,
    channelsRoute,
    channelRoute,
    activityRoute,
    interactionRoute,
    approvalsRoute,
    auditRoute,
    usageRoute,
    policiesRoute,
    explainRoute,
    newPolicyRoute,
    policyRoute,
    agentsRoute,
    newAgentRoute,
    agentRoute,
    editAgentRoute,
    settingsRoute,
    sectionRoute,
    missingRoute,
  ]),
]);

/** Where the app mostly opens: fetched while the server is still asked who this is. */
function fetchAhead(path: string): void {
  if (path === "/" || path.startsWith("/channels/")) void conversation().catch(() => undefined);
}

export function createAppRouter(client: QueryClient) {
  fetchAhead(window.location.pathname);
  return createRouter({
    routeTree,
    context: { client },
    defaultPreload: "intent",
    defaultPreloadStaleTime: 0,
    defaultErrorComponent: PageError,
    defaultNotFoundComponent: NotFoundPage,
    scrollRestoration: false, // pages scroll in their own boxes
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
