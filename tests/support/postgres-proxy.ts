import { createConnection, createServer, type Server, type Socket } from "node:net";

/** Stands between a server and PostgreSQL, and breaks what a network or a restart breaks. */
export interface PostgresProxy {
  /** The address of the database, through it. */
  readonly url: string;
  /** Ends every connection and takes no more: PostgreSQL is down. */
  cut(): Promise<void>;
  /** Takes connections again. */
  mend(): Promise<void>;
  /**
   * Keeps the answer to the next statement of these words, and every answer behind it. Resolves
   * when PostgreSQL has given it.
   */
  loseAnswerTo(statement: string): Promise<void>;
  close(): Promise<void>;
}

/** Opens one before a database. */
export async function openPostgresProxy(databaseUrl: string): Promise<PostgresProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let lost: { readonly statement: string; readonly wasAnswered: () => void } | undefined;
  let server: Server | undefined;
  let port = 0;

  async function listen(): Promise<void> {
    lost = undefined;
    const next = createServer((near) => {
      let isSilent = false;
      const far = createConnection(Number(target.port || 5432), target.hostname);
      for (const socket of [near, far]) {
        sockets.add(socket);
        socket.on("error", () => undefined);
        socket.once("close", () => {
          sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
      }
      near.on("data", (piece) => {
        if (lost && piece.includes(`${lost.statement}\0`)) isSilent = true;
        far.write(piece);
      });
      far.on("data", (piece) => {
        if (isSilent) lost?.wasAnswered();
        else near.write(piece);
      });
    });
    await new Promise<void>((resolve) => next.listen(port, "127.0.0.1", resolve));
    const address = next.address();
    port = typeof address === "object" && address ? address.port : 0;
    server = next;
  }

  async function cut(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      if (server) server.close(() => resolve());
      else resolve();
    });
    server = undefined;
    for (const socket of sockets) socket.destroy();
    await closed;
  }

  await listen();
  const url = new URL(databaseUrl);
  url.hostname = "127.0.0.1";
  url.port = String(port);
  return {
    url: url.href,
    cut,
    mend: listen,
    loseAnswerTo: (statement) =>
      new Promise((wasAnswered) => {
        lost = { statement, wasAnswered };
      }),
    close: cut,
  };
}
