import { existsSync } from "node:fs";
import type { Config } from "../config.ts";
import { type ControlClient, createControlClient, socketFetch } from "../control/control-client.ts";
import { dataFolderPaths } from "../data-folder/data-folder.ts";
import { openServer } from "../open-server.ts";

/**
 * Does `work` on the server of a data folder: over its socket while it runs, else by opening the
 * folder for as long as the work takes. Either way the same code does the same thing.
 */
export async function withServer<Result>(
  config: Config,
  work: (client: ControlClient) => Promise<Result>,
): Promise<Result> {
  const { controlSocket } = dataFolderPaths(config.dataDir);
  if (existsSync(controlSocket)) {
    const send = socketFetch(controlSocket);
    const running = await send("/status").then(
      () => true,
      () => false,
    );
    if (running) return work(createControlClient(send));
  }
  const server = await openServer(config);
  try {
    return await work(
      createControlClient(async (path, init) =>
        server.control.request(`http://valet${path}`, init),
      ),
    );
  } finally {
    await server.close();
  }
}
