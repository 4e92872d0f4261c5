import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { parseEnv } from "node:util";

const projectName = "Demo";

/**
 * Makes what the demo needs and is not there yet: a project labelled as the demo, an Agent
 * integration, an API key in `demo.env` (0600), and the documentation it answers from.
 *
 * @returns The file that the demo reads, and a set-up link while nobody has an account.
 */
export async function seedDemo({ dataDir, publicUrl, say }) {
  // From the build, which the first start has only just made.
  const { createControlClient, socketFetch } = await import(
    "../../packages/server/dist/control/control-client.js"
  );
  const { dataFolderPaths } = await import("../../packages/server/dist/data-folder/data-folder.js");
  const client = createControlClient(socketFetch(dataFolderPaths(dataDir).controlSocket));
  const project = await findOrMakeProject(client);
  const integration = await findOrMakeIntegration(client, project.id);
  const envFile = join(dataDir, "demo.env");
  const known = await findLiveKey(client, project.id, envFile);
  const apiKey = known ?? (await makeKey(client, project.id));
  // Written at every start: the address changes with the port.
  writeEnv(envFile, {
    VALET_API_KEY: apiKey,
    VALET_PROJECT_ID: project.id,
    VALET_INTEGRATION_ID: integration.id,
    VALET_API_URL: publicUrl,
  });
  for (const source of documentation()) await ingest(client, project.id, source, say);
  const { accounts } = await client.get("/status");
  const setupLink = accounts ? undefined : (await client.post("/setup-links")).url;
  return { envFile, setupLink };
}

async function findOrMakeProject(client) {
  const { projects } = await client.get("/projects");
  const found = projects.find((project) => project.demo);
  if (found) return found;
  return (await client.post("/projects", { name: projectName, demo: true })).project;
}

async function findOrMakeIntegration(client, projectId) {
  const path = `/projects/${projectId}/integrations`;
  const { integrations } = await client.get(path);
  return integrations[0] ?? (await client.post(path, { name: "Demo page" })).integration;
}

/** The key in the file, if it is one of this project and still good. */
async function findLiveKey(client, projectId, envFile) {
  if (!existsSync(envFile)) return undefined;
  const apiKey = parseEnv(readFileSync(envFile, "utf8")).VALET_API_KEY;
  const { keys } = await client.get(`/projects/${projectId}/keys`);
  const kid = apiKey?.split("_")[2];
  return keys.some((key) => key.id === kid && key.revoked_at === null) ? apiKey : undefined;
}

async function makeKey(client, projectId) {
  return (await client.post(`/projects/${projectId}/keys`, { name: "Demo server" })).secret;
}

function writeEnv(file, values) {
  const text = Object.entries(values)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** This repository's own documentation, and that of one well-known package. */
function documentation() {
  const fastify = dirname(createRequire(import.meta.url).resolve("fastify/package.json"));
  return [
    { name: "Valet's documentation", path: resolve("docs") },
    { name: "Fastify's documentation", path: join(fastify, "docs") },
  ];
}

async function ingest(client, projectId, { name, path }, say) {
  const began = Date.now();
  for await (const { result, error } of client.lines(`/projects/${projectId}/ingest`, { path })) {
    if (error) throw new Error(`${name}: ${error}`);
    if (!result || result.added + result.changed + result.removed === 0) continue;
    const seconds = ((Date.now() - began) / 1000).toFixed(1);
    say(
      `  ${name}: ${result.added + result.changed} pages, ${result.chunks} passages (${seconds} s)`,
    );
  }
}
