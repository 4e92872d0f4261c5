export {
  type AgentRequest,
  type ScriptedAgentServer,
  scriptedAgentServer,
} from "./scripted-agent-server.ts";
export type { AgentStep, ScriptedCall, ScriptedSource } from "./step-frames.ts";
