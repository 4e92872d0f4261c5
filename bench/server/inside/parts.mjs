// The parts of the server as its build left them, for what is measured without HTTP.
import { createRequire } from "node:module";

const dist = new URL("../../../packages/server/dist/", import.meta.url);
const part = (path) => import(new URL(path, dist).href);

export const { openDatabase } = await part("database/database.js");
export const { createSqlSessionStore } = await part("database/session-store.js");
export const { createSqlApiKeyStore } = await part("database/api-key-store.js");
export const { createSqlProjectStateStore } = await part("database/project-state-store.js");
export const { createSqlProjectStore } = await part("database/project-store.js");
export const { createSqlRevocationStore } = await part("database/revocation-store.js");
export const { createProjectStates } = await part("projects/project-states.js");
export const { createProjects } = await part("projects/projects.js");
export const { createApiKey } = await part("api-keys/api-key-format.js");
export const { createApiKeys } = await part("api-keys/api-keys.js");
export const { createOpenStreams } = await part("sessions/open-streams.js");
export const { createRevocations } = await part("sessions/revocations.js");
export const { createSessionTokenFormat } = await part("sessions/session-token-format.js");
export const { createSessions } = await part("sessions/sessions.js");
export const { randomBase62, toBase62 } = await part("base62.js");
export const { openServer } = await part("open-server.js");
export const { readConfig } = await part("config.js");

const require = createRequire(new URL("../../../packages/server/package.json", import.meta.url));
export const SQLite = require("better-sqlite3");
export const { sql } = require("kysely");

/** Gives the bench what a script found. */
export const tell = (found) => console.log(JSON.stringify(found));
