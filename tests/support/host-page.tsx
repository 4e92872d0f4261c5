import { AgentChat, AgentPanel, AgentProvider, sessionEndpoint } from "@valet/agent-react";
import { type ReactNode, StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";

/** A page of a customer with the chat in it. It appears when the page is told `mount`. */
const place = document.getElementById("chat") as HTMLElement;

function Page(): ReactNode {
  const [isOpen, setIsOpen] = useState(false);
  const { projectId = "", integrationId = "" } = place.dataset;
  return (
    <AgentProvider
      projectId={projectId}
      integrationId={integrationId}
      getSessionToken={sessionEndpoint("/api/session")}
      theme={{ colorScheme: "light", accentColor: "#0f766e" }}
    >
      <AgentChat
        branding={{ footerExtra: <button type="button">Help</button> }}
        headerActions={
          <button type="button" onClick={() => setIsOpen(!isOpen)}>
            Panel
          </button>
        }
      />
      <AgentPanel open={isOpen} onClose={() => setIsOpen(false)} />
    </AgentProvider>
  );
}

document.addEventListener("mount", () => {
  createRoot(place).render(
    <StrictMode>
      <Page />
    </StrictMode>,
  );
});
