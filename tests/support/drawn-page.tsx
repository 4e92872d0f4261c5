import { AgentChat, AgentLauncher, AgentProvider, AgentThreadHistory } from "@valet/agent-react";
import { type ReactNode, StrictMode } from "react";

/** A page with everything in it, which a server draws and a browser takes over. */
export function DrawnPage({
  projectId,
  integrationId,
}: {
  readonly projectId: string;
  readonly integrationId: string;
}): ReactNode {
  return (
    <StrictMode>
      <AgentProvider
        projectId={projectId}
        integrationId={integrationId}
        getSessionToken={async () => {
          const answer = await fetch("/api/session", { method: "POST" });
          return answer.json();
        }}
        enableHistory
        theme={{ colorScheme: "light", accentColor: "#0f766e", fontSize: 16 }}
      >
        <AgentChat branding={{ examplePrompts: ["What do bees feed on?"] }} />
        <AgentThreadHistory />
        <AgentLauncher />
      </AgentProvider>
    </StrictMode>
  );
}
