import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs, parseEnv } from "node:util";
import { createDemoServer } from "./demo-server.ts";

const { values } = parseArgs({
  options: { "env-file": { type: "string" }, "json-ready": { type: "boolean" } },
});

/** The file's variables, with the environment's own over them. */
function readVariables(): Record<string, string | undefined> {
  const file = values["env-file"];
  return { ...(file === undefined ? {} : parseEnv(readFileSync(file, "utf8"))), ...process.env };
}

const variables = readVariables();
const names = [
  "VALET_API_KEY",
  "VALET_PROJECT_ID",
  "VALET_INTEGRATION_ID",
  "VALET_API_URL",
] as const;
const missing = names.filter((name) => !variables[name]);
if (missing.length > 0) {
  process.stderr.write(
    `The demo needs ${missing.join(", ")}: set them, or name a file with --env-file.\n`,
  );
  process.exit(1);
}
const [apiKey = "", projectId = "", integrationId = "", apiUrl = ""] = names.map(
  (name) => variables[name],
);

const port = Number(variables.VALET_DEMO_PORT ?? 4748);
const server = createDemoServer({
  apiKey,
  projectId,
  integrationId,
  apiUrl,
  pageFolder: fileURLToPath(new URL("page", import.meta.url)),
  onError: (message) => void process.stderr.write(`demo: ${message}\n`),
});

server.on("error", (error: NodeJS.ErrnoException) => {
  const taken = error.code === "EADDRINUSE";
  process.stderr.write(
    taken ? `Port ${port} is taken. Set VALET_DEMO_PORT to another one.\n` : `${error.message}\n`,
  );
  process.exit(1);
});
server.listen(port, "127.0.0.1", () => {
  const url = `http://localhost:${port}`;
  const line = values["json-ready"]
    ? JSON.stringify({ ready: true, url })
    : `The demo is at ${url}`;
  process.stdout.write(`${line}\n`);
});

function close(): void {
  server.close(() => process.exit(0));
  server.closeAllConnections();
}
process.once("SIGINT", close);
process.once("SIGTERM", close);
