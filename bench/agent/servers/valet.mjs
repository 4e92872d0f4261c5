// Valet as `valet start` runs it, with all defaults but its model.
import { createScriptedModel } from "../scripted-model.mjs";

const dist = new URL("../../../packages/server/dist/", import.meta.url);
const { startServer } = await import(new URL("commands/start.js", dist).href);
const { readConfig } = await import(new URL("config.js", dist).href);

const server = await startServer(readConfig(process.env), { model: createScriptedModel() });
console.log(JSON.stringify({ ready: true, url: server.url }));
process.once("SIGTERM", () => void server.close().then(() => process.exit(0)));
