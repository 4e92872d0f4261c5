import { Hono } from "hono";
import type { AppEnv } from "../http/app-env.ts";
import type { ServerFacts } from "../web/server-routes.ts";
import { shared } from "./answers.ts";
import { describeApi } from "./describe-api.ts";
import { docsPagePolicy, renderDocsPage } from "./docs-page.ts";
import { operations } from "./operations.ts";

/** `/openapi.json`, and the same as a page at `/docs`. Made when first asked for. */
export function openApiRoutes({ version, publicUrl }: ServerFacts): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: false });
  let made: ReturnType<typeof describeApi> | undefined;
  const description = () => {
    made ??= describeApi({
      operations,
      shared,
      version,
      ...(publicUrl !== undefined && { url: publicUrl }),
    });
    return made;
  };
  app.get("/openapi.json", (c) => {
    // Tools in pages read it as well, and nothing in it is secret.
    c.header("access-control-allow-origin", "*");
    c.header("cache-control", "no-cache");
    return c.json(description());
  });
  app.get("/docs", (c) => {
    c.header("content-security-policy", docsPagePolicy);
    c.header("x-frame-options", "DENY");
    c.header("cache-control", "no-cache");
    return c.html(renderDocsPage(description()));
  });
  return app;
}
