import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAdaptorServer } from "@hono/node-server";
import { createSessionHandler } from "../../packages/session-proxy/src/index.ts";
import { toNodeHandler } from "../../packages/session-proxy/src/node.ts";
import { freePort } from "./programs.ts";
import { openTestServer } from "./valet-server.ts";

/** What a page of the site has to know. */
export interface HostFacts {
  readonly apiUrl: string;
  readonly projectId: string;
  readonly integrationId: string;
}

/** Files by path: type and text. */
export type HostFiles = Readonly<Record<string, readonly [type: string, text: string]>>;

/** A customer's site beside a real server, both on ports of their own. */
export interface HostSite extends HostFacts {
  readonly url: string;
  readonly apiKey: string;
  close(): Promise<void>;
}

/**
 * Opens one, with a page on bees in its knowledge base, and `POST /api/session`.
 *
 * @param policy The site's content security policy.
 * @param variables Of the Valet server, beside its address.
 */
export async function openHostSite(
  filesFor: (facts: HostFacts) => HostFiles | Promise<HostFiles>,
  policy: (facts: HostFacts) => string,
  variables: Readonly<Record<string, string>> = {},
): Promise<HostSite> {
  const folder = mkdtempSync(join(tmpdir(), "valet-host-"));
  const port = await freePort();
  const apiUrl = `http://localhost:${port}`;
  const valet = await openTestServer({
    ...variables,
    VALET_PORT: String(port),
    VALET_PUBLIC_URL: apiUrl,
  });
  const api = createAdaptorServer({ fetch: valet.server.app.fetch }) as Server;
  await new Promise<void>((resolve) => api.listen(port, "127.0.0.1", resolve));
  writeFileSync(
    join(folder, "bees.md"),
    "# Bees\n\n## Feeding bees\n\nBees feed on **clover** and `lavender`:\n\n- clover\n- lavender\n",
  );
  for await (const _ of valet.control.lines(`/projects/${valet.projectId}/ingest`, {
    path: folder,
  }));

  const facts = { apiUrl, projectId: valet.projectId, integrationId: valet.integrationId };
  const files = await filesFor(facts);
  const handleSession = toNodeHandler(
    createSessionHandler({
      apiKey: valet.apiKey,
      projectId: valet.projectId,
      integrationId: valet.integrationId,
      baseUrl: apiUrl,
      authorize: () => true,
      owner: () => "ada",
    }),
  );
  const site = createServer((request, response) => {
    const path = request.url ?? "/";
    if (path === "/api/session") return void handleSession(request, response);
    const file = files[path];
    if (!file) return void response.writeHead(404).end();
    response.setHeader("content-security-policy", policy(facts));
    response.setHeader("content-type", `${file[0]}; charset=utf-8`).end(file[1]);
  });
  const sitePort = await freePort();
  await new Promise<void>((resolve) => site.listen(sitePort, "127.0.0.1", resolve));
  return {
    ...facts,
    apiKey: valet.apiKey,
    url: `http://localhost:${sitePort}`,
    async close() {
      for (const server of [site, api]) {
        server.close();
        server.closeAllConnections();
      }
      await valet.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
