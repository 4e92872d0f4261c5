/**
 * For tests of what is built on Valet: models that say what a test tells them, as objects and over
 * HTTP, recordings of real ones, and a whole server for one test.
 *
 * @module
 */
export { type RecordModelOptions, recordModel } from "./record-model.ts";
export { type ReplayModelOptions, replayModel } from "./replay-model.ts";
export { scriptedAnthropicServer } from "./scripted-anthropic-server.ts";
export { type ScriptedModel, scriptedModel } from "./scripted-model.ts";
export { scriptedOpenAiServer } from "./scripted-openai-server.ts";
export type { ScriptedRequest, ScriptedServer } from "./scripted-server.ts";
export type {
  Scripted,
  ScriptedCall,
  ScriptedFailure,
  ScriptedRefusal,
  ScriptedStep,
} from "./scripted-step.ts";
export { type TestServer, type TestServerOptions, testServer } from "./test-server.ts";
