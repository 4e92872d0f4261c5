import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../../packages/server/src/config.ts";
import {
  type ControlClient,
  createControlClient,
} from "../../packages/server/src/control/control-client.ts";
import {
  type TestPlace,
  testDatabases,
} from "../../packages/server/src/database/testing/test-databases.ts";
import {
  type OpenServer,
  type OpenServerOptions,
  openServer,
} from "../../packages/server/src/open-server.ts";
import { expectDescribed } from "./described.ts";

/** A real server over a data folder of its own, called without a port. */
export interface TestServer {
  readonly server: OpenServer;
  readonly control: ControlClient;
  readonly projectId: string;
  readonly integrationId: string;
  readonly apiKey: string;
  readonly kid: string;
  /** The time the server goes by. */
  readonly clock: { ms: number };
  /** Everything the server has logged so far. */
  readonly log: () => string;
  /** `fetch` of the server: any host in the address is this server. Fails on an answer that the API's description does not have. */
  readonly fetch: typeof fetch;
  close(): Promise<void>;
}

/**
 * Opens one with a project, an integration and a key. Its database is embedded, or PostgreSQL
 * where `VALET_TEST_ON` says so: the same files of tests run on both.
 */
export async function openTestServer(
  variables: Record<string, string> = {},
  options: Pick<OpenServerOptions, "onStatement" | "model" | "serverTools"> = {},
): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), "valet-test-"));
  const lines: string[] = [];
  const clock = { ms: Date.now() };
  const postgres = variables.VALET_DATABASE_URL === undefined ? await postgresPlace() : undefined;
  const server = await openServer(
    readConfig({
      VALET_DATA_DIR: join(folder, "data"),
      VALET_LOG_LEVEL: "trace",
      ...(postgres && { VALET_DATABASE_URL: postgres.place }),
      ...variables,
    }),
    { logTo: { write: (line) => void lines.push(line) }, now: () => clock.ms, ...options },
  );
  const control = createControlClient(async (path, init) =>
    server.control.request(`http://valet${path}`, init),
  );
  const { project } = await control.post<{ project: { id: string } }>("/projects", {
    name: "Test",
  });
  const { integration } = await control.post<{ integration: { id: string } }>(
    `/projects/${project.id}/integrations`,
    { name: "Page" },
  );
  const { secret, id } = await control.post<{ secret: string; id: string }>(
    `/projects/${project.id}/keys`,
    { name: "Server" },
  );
  return {
    server,
    control,
    projectId: project.id,
    integrationId: integration.id,
    apiKey: secret,
    kid: id,
    clock,
    log: () => lines.join(""),
    fetch: (async (input: RequestInfo | URL, init?: RequestInit) => {
      const request = new Request(input, init);
      const answer = await server.app.fetch(request);
      await expectDescribed(request, answer);
      return answer;
    }) as typeof fetch,
    async close() {
      await server.close();
      await postgres?.drop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function postgresPlace(): Promise<TestPlace | undefined> {
  if (process.env.VALET_TEST_ON !== "PostgreSQL") return undefined;
  const kind = (await testDatabases()).find(({ name }) => name === "PostgreSQL");
  if (!kind) throw new Error("VALET_TEST_ON asks for PostgreSQL, and none answers.");
  return kind.createPlace();
}
