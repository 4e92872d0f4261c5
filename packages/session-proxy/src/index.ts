export type {
  Refusal,
  SessionHandlerEvent,
  SessionHandlerOptions,
} from "./options.ts";
export { createSessionHandler, type SessionHandler } from "./session-handler.ts";
