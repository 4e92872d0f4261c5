import { AgentProvider, sessionEndpoint } from "@valet/agent-react";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "./app.css";
import { Chat } from "./chat.tsx";

const getSessionToken = sessionEndpoint("/api/session");
const root = document.getElementById("root");

// Only the provider and the hook are used, so the style sheet is not needed, and neither the
// components nor the Markdown parser get into the bundle.
if (root) {
  createRoot(root).render(
    <StrictMode>
      <AgentProvider
        projectId={import.meta.env.VITE_VALET_PROJECT_ID}
        integrationId={import.meta.env.VITE_VALET_INTEGRATION_ID}
        getSessionToken={getSessionToken}
      >
        <Chat />
      </AgentProvider>
    </StrictMode>,
  );
}
