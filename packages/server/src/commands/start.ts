import { chmodSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import type { Config } from "../config.ts";
import { createLineBuffer } from "../http/line-buffer.ts";
import { listen } from "../http/listen.ts";
import { type OpenServerOptions, openServer } from "../open-server.ts";

/** A server that is listening. */
export interface RunningServer {
  /** Where it listens, as people type it. */
  readonly url: string;
  /** Resolves when it can serve no more, with why. Close it then. */
  readonly ended: Promise<Error>;
  /** Ends open streams, stops listening and closes the data folder. Safe to call twice. */
  close(): Promise<void>;
}

/** The address to listen on is taken; `message` says which and how to take another. */
export class PortTakenError extends Error {
  override readonly name = "PortTakenError";
}

/**
 * Opens the data folder and listens: on the network for pages, on a socket for the command.
 *
 * @param options.model The model that answers, in the place of `VALET_MODEL`.
 * @param options.serverTools Tools that run on the server, beside those of `VALET_SERVER_TOOLS`.
 * @throws {@link PortTakenError}, and what `openServer` throws.
 */
export async function startServer(
  config: Config,
  options: Pick<OpenServerOptions, "model" | "serverTools"> = {},
): Promise<RunningServer> {
  const log = createLineBuffer(process.stderr);
  const server = await openServer(config, { ...options, logTo: log }).catch((error) => {
    log.close();
    throw error;
  });
  try {
    const web = await listen(
      server.app,
      { port: config.port, host: config.host },
      { quickAnswer: server.quickAnswer },
    );
    // The folder's lock is ours, so a socket that is still there belongs to nobody.
    rmSync(server.folder.controlSocket, { force: true });
    const control = await listen(server.control, { path: server.folder.controlSocket });
    chmodSync(server.folder.controlSocket, 0o600);
    const address = web.address();
    const port = typeof address === "object" && address ? address.port : config.port;
    let closing: Promise<void> | undefined;
    return {
      url: config.publicUrl ?? `http://localhost:${port}`,
      ended: server.ended,
      close() {
        closing ??= (async () => {
          const stopped = Promise.all([stop(web), stop(control)]);
          await server.close();
          await stopped;
          log.close();
        })();
        return closing;
      },
    };
  } catch (error) {
    await server.close();
    log.close();
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") {
      throw new PortTakenError(
        `Port ${config.port} is taken. Set VALET_PORT to another one, or stop what uses it.`,
      );
    }
    throw error;
  }
}

/** Lets answers that are being written end, and cuts what is left after two seconds. */
function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), 2000);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}
