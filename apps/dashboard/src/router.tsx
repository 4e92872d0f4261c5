import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { ApiError } from "./api.ts";
import { queries } from "./queries.ts";
import { NotFound, RouteFailure } from "./ui/failure.tsx";

interface RouterContext {
  readonly queryClient: QueryClient;
}

const root = createRootRouteWithContext<RouterContext>()({
  component: Outlet,
  notFoundComponent: NotFound,
  errorComponent: RouteFailure,
});

const setup = createRoute({
  getParentRoute: () => root,
  path: "/setup",
  component: lazyRouteComponent(() => import("./people/setup-page.tsx"), "SetupPage"),
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (search: Record<string, unknown>): { to?: string } =>
    typeof search.to === "string" && /^\/(?!\/)/.test(search.to) ? { to: search.to } : {},
  component: lazyRouteComponent(() => import("./people/sign-in-page.tsx"), "SignInPage"),
});

/** Everything below needs somebody who is signed in. */
const signedIn = createRoute({
  getParentRoute: () => root,
  id: "signed-in",
  async beforeLoad({ context, location }) {
    try {
      await context.queryClient.ensureQueryData(queries.me());
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      throw redirect({ to: "/sign-in", search: { to: location.href } });
    }
  },
});

const first = createRoute({
  getParentRoute: () => signedIn,
  path: "/",
  async beforeLoad({ context }) {
    const projects = await context.queryClient.ensureQueryData(queries.projects());
    const project = projects[0];
    if (!project) return;
    throw redirect({ to: "/projects/$projectId", params: { projectId: project.id } });
  },
  component: lazyRouteComponent(() => import("./projects/no-project-page.tsx"), "NoProjectPage"),
});

const project = createRoute({
  getParentRoute: () => signedIn,
  path: "/projects/$projectId",
  component: lazyRouteComponent(() => import("./projects/project-shell.tsx"), "ProjectShell"),
});

const home = createRoute({
  getParentRoute: () => project,
  path: "/",
  component: lazyRouteComponent(() => import("./projects/home-page.tsx"), "HomePage"),
});

const apiKeys = createRoute({
  getParentRoute: () => project,
  path: "/settings/api-keys",
  component: lazyRouteComponent(() => import("./api-keys/api-keys-page.tsx"), "ApiKeysPage"),
});

const integrations = createRoute({
  getParentRoute: () => project,
  path: "/integrations/agent",
  component: lazyRouteComponent(
    () => import("./integrations/integrations-page.tsx"),
    "IntegrationsPage",
  ),
});

const integration = createRoute({
  getParentRoute: () => project,
  path: "/integrations/agent/$integrationId",
  component: lazyRouteComponent(
    () => import("./integrations/integration-page.tsx"),
    "IntegrationPage",
  ),
});

const tree = root.addChildren([
  setup,
  signIn,
  signedIn.addChildren([first, project.addChildren([home, apiKeys, integrations, integration])]),
]);

/** Creates the router of the dashboard. */
export function createDashboardRouter(queryClient: QueryClient) {
  return createRouter({ routeTree: tree, context: { queryClient }, defaultPreload: "intent" });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createDashboardRouter>;
  }
}
