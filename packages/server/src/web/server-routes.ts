import { Hono } from "hono";
import type { AppEnv } from "../http/app-env.ts";

/** What the dashboard says about this server. */
export interface ServerFacts {
  readonly version: string;
  /** Where browsers reach this server, when the operator has said so. */
  readonly publicUrl: string | undefined;
}

/** Whether browsers reach this server over HTTPS. */
export function isHttps({ publicUrl }: Pick<ServerFacts, "publicUrl">): boolean {
  return publicUrl?.startsWith("https:") ?? false;
}

/** The packages that the server hands out, in the order in which they build on each other. */
export const sdkPackages = [
  "@valet/protocol",
  "@valet/agent-core",
  "@valet/agent-react",
  "@valet/session-proxy",
] as const;

/** Where a package of this version stands below `/sdk/`. */
export function sdkPath(name: string, version: string): string {
  return `/sdk/${name.replace("@", "").replace("/", "-")}-${version}.tgz`;
}

/** `/admin/v1/server`. Stands behind `requirePerson`. */
export function serverRoutes({ version, publicUrl }: ServerFacts): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: false });
  app.get("/server", (c) =>
    c.json({
      version,
      public_url: publicUrl ?? null,
      sdk_packages: Object.fromEntries(sdkPackages.map((name) => [name, sdkPath(name, version)])),
      browser_bundle: "/sdk/valet.js",
    }),
  );
  return app;
}
