import { createConnection } from "node:net";

/**
 * Whether something listens where tests look for PostgreSQL: at `VALET_TEST_DATABASE_URL`, else at
 * the local port.
 *
 * @returns {Promise<boolean>}
 */
export function findPostgres() {
  const url = new URL(
    process.env.VALET_TEST_DATABASE_URL ?? "postgres://postgres@127.0.0.1:5432/postgres",
  );
  const socket = createConnection(Number(url.port || 5432), url.hostname);
  return new Promise((resolve) => {
    socket.setTimeout(2_000, () => resolve(false));
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
  }).finally(() => socket.destroy());
}
