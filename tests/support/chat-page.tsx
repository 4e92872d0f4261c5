import {
  AgentChat,
  AgentProvider,
  type AgentTool,
  createToolHelper,
  sessionEndpoint,
} from "@valet/agent-react";
import { type ReactNode, StrictMode } from "react";
import { createRoot } from "react-dom/client";

/** What a test may set of the page; it comes in the page's address. */
export interface ChatPageProps {
  readonly enableHistory?: boolean;
  readonly examplePrompts?: readonly string[];
}

const tool = createToolHelper();
const tools: readonly AgentTool[] = [
  tool({
    name: "invite",
    displayName: "Invite a colleague",
    description: "Invites somebody.",
    parameters: { type: "object", properties: { email: { type: "string" } } },
    needsApproval: true,
    execute: (args) => ({ invited: args }),
  }),
];

function Page({ enableHistory = false, examplePrompts = [] }: ChatPageProps): ReactNode {
  return (
    <AgentProvider
      projectId="prj_1"
      integrationId="int_1"
      getSessionToken={sessionEndpoint("/api/session")}
      enableHistory={enableHistory}
      tools={tools}
      theme={{ colorScheme: "auto", accentColor: "#0f766e", fontSize: 15 }}
    >
      <div style={{ height: "100dvh" }}>
        <AgentChat branding={{ title: "Acme Assistant", examplePrompts }} />
      </div>
    </AgentProvider>
  );
}

const props = JSON.parse(new URLSearchParams(location.search).get("props") ?? "{}");
createRoot(document.getElementById("root") ?? document.body).render(
  <StrictMode>
    <Page {...(props as ChatPageProps)} />
  </StrictMode>,
);
