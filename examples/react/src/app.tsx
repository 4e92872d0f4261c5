import { AgentChat, AgentProvider, sessionEndpoint } from "@valet/agent-react";
import { useMemo, useState } from "react";
import { bookingTool } from "./booking-tool.tsx";

const getSessionToken = sessionEndpoint("/api/session");

/** An app with the agent beside its own content. */
export function App() {
  const [bookings, setBookings] = useState<readonly string[]>([]);
  // Made once: an agent whose tools are new at every render has to be told of them every time.
  const tools = useMemo(() => [bookingTool((day) => setBookings((known) => [...known, day]))], []);
  return (
    <AgentProvider
      projectId={import.meta.env.VITE_VALET_PROJECT_ID}
      integrationId={import.meta.env.VITE_VALET_INTEGRATION_ID}
      getSessionToken={getSessionToken}
      tools={tools}
      enableHistory
      theme={{ colorScheme: "auto", accentColor: "#0f766e" }}
    >
      <main>
        <section>
          <h1>Bookings</h1>
          {bookings.length === 0 ? <p>There are none yet.</p> : null}
          <ul aria-label="Bookings">
            {bookings.map((day) => (
              <li key={day}>{day}</li>
            ))}
          </ul>
        </section>
        <section className="chat" aria-label="Assistant">
          <AgentChat
            branding={{
              title: "Assistant",
              examplePrompts: [
                "How does the browser get its session token?",
                "Book a visit on Monday.",
              ],
            }}
          />
        </section>
      </main>
    </AgentProvider>
  );
}
