export type { AiSdkModel } from "./agent/models/ai-sdk-model.ts";
export { PortTakenError, type RunningServer, startServer } from "./commands/start.ts";
export { type Config, ConfigError, readConfig } from "./config.ts";
export { type OpenServer, type OpenServerOptions, openServer } from "./open-server.ts";
