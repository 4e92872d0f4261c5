// The SQLite of the server, with the same settings, for peers that let us choose where they store.
import { createRequire } from "node:module";

const require = createRequire(new URL("../../../packages/server/package.json", import.meta.url));
const SQLite = require("better-sqlite3");

export function openSqlite(file) {
  const connection = new SQLite(file);
  for (const pragma of ["journal_mode = WAL", "synchronous = FULL", "busy_timeout = 50"]) {
    connection.pragma(pragma);
  }
  return connection;
}
