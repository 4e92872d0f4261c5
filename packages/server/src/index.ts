export type { AiSdkModel } from "./agent/models/ai-sdk-model.ts";
export type {
  ServerToolCallContext,
  ServerToolOptions,
} from "./agent/operator-tools/operator-tool.ts";
export { ServerToolsError } from "./agent/operator-tools/read-tools.ts";
export { PortTakenError, type RunningServer, startServer } from "./commands/start.ts";
export { type Config, ConfigError, readConfig } from "./config.ts";
export { type OpenServer, type OpenServerOptions, openServer } from "./open-server.ts";
