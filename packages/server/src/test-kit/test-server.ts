import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { AiSdkModel } from "../agent/models/ai-sdk-model.ts";
import { startServer } from "../commands/start.ts";
import { readConfig } from "../config.ts";
import { ControlError, createControlClient, socketFetch } from "../control/control-client.ts";
import type { IngestResult } from "../knowledge/knowledge.ts";

/** A Valet server for one test, over an empty data folder of its own. */
export interface TestServer {
  /** Where it listens: the `baseUrl` of an `Agent`, or `VALET_API_URL` of a session endpoint. */
  readonly url: string;
  readonly projectId: string;
  readonly integrationId: string;
  /** An API key of the project. */
  readonly apiKey: string;
  /** Stops it and removes its folder. */
  close(): Promise<void>;
}

/** What {@link testServer} may be told. */
export interface TestServerOptions {
  /** The model that answers. @default the embedded one, or what `variables` say */
  readonly model?: AiSdkModel;
  /** A folder or file of documents that answers come from. */
  readonly documents?: string;
  /** Variables of the server, such as `VALET_MODEL`. @default none; the environment is not read */
  readonly variables?: Readonly<Record<string, string>>;
}

/**
 * Starts a whole server in this process, on a free port of this machine, with a project, an
 * integration and an API key.
 *
 * @throws `ConfigError` for variables that do not fit, and an Error for documents that cannot be read.
 */
export async function testServer({
  model,
  documents,
  variables = {},
}: TestServerOptions = {}): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), "valet-"));
  const dataDir = join(folder, "data");
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const config = readConfig({
      VALET_PORT: "0",
      VALET_LOG_LEVEL: "silent",
      ...variables,
      VALET_DATA_DIR: dataDir,
    });
    const server = await startServer(config, model === undefined ? {} : { model });
    const close = () => server.close().finally(remove);
    try {
      return { url: server.url, close, ...(await fill(dataDir, documents)) };
    } catch (error) {
      await close();
      throw error;
    }
  } catch (error) {
    remove();
    throw error;
  }
}

/** Makes what an app needs to talk to the server. */
async function fill(
  dataDir: string,
  documents: string | undefined,
): Promise<Pick<TestServer, "projectId" | "integrationId" | "apiKey">> {
  const control = createControlClient(socketFetch(join(dataDir, "control.sock")));
  const { project } = await control.post<{ project: { id: string } }>("/projects", {
    name: "Test",
  });
  const at = `/projects/${project.id}`;
  const { integration } = await control.post<{ integration: { id: string } }>(
    `${at}/integrations`,
    { name: "Page" },
  );
  const { secret } = await control.post<{ secret: string }>(`${at}/keys`, { name: "Server" });
  if (documents !== undefined) {
    const body = { path: resolve(documents) };
    const lines = control.lines<{ error?: string; result?: IngestResult }>(`${at}/ingest`, body);
    for await (const { error, result } of lines) {
      const [failure] = result?.failures ?? [];
      if (error !== undefined || failure) {
        throw new ControlError(error ?? `${failure?.path}: ${failure?.message}`);
      }
    }
  }
  return { projectId: project.id, integrationId: integration.id, apiKey: secret };
}
