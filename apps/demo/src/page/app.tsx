import { AgentChat, AgentProvider, type AgentTool, createToolHelper } from "@valet/agent-react";
import { type ReactNode, useMemo, useState } from "react";

/** What the demo's server tells the page. */
export interface DemoConfig {
  readonly projectId: string;
  readonly integrationId: string;
}

const examplePrompts = [
  "How does the browser get its session token?",
  "What happens when an API key is revoked?",
  "How do I add the chat to a React app?",
  "How do I validate a request body in Fastify?",
];

const getSessionToken = async () => {
  const res = await fetch("/api/session", { method: "POST" });
  if (!res.ok) throw new Error("Session creation failed");
  return res.json();
};

/** A customer's app with a chat in it. */
export function App({ config }: { readonly config: DemoConfig }): ReactNode {
  const [accent, setAccent] = useState("#0f766e");
  const tools = useMemo(() => [paintTool(setAccent)], []);
  return (
    <AgentProvider
      projectId={config.projectId}
      integrationId={config.integrationId}
      getSessionToken={getSessionToken}
      enableHistory
      tools={tools}
      theme={{ colorScheme: "auto", accentColor: accent, fontSize: 15 }}
    >
      <div className="page">
        <header className="bar">
          <span className="mark">
            <img src={logo} alt="" width="26" height="26" />
            Acme Console
          </span>
          <span className="badge">Demo</span>
        </header>
        <main className="main">
          <section className="about">
            <h1>A customer's app with an agent in it</h1>
            <p>
              This page belongs to “Acme”, a made-up customer. Its server holds the API key and
              trades it for session tokens at <code>POST /api/session</code>. What you see here
              never holds the key: open your browser's network tools and look.
            </p>
            <ol>
              <li>Ask a question. Only then the page fetches a session token, once.</li>
              <li>The answer streams from the Valet server and cites its sources.</li>
              <li>Click a number to see the passage, and open its page.</li>
            </ol>
            <p className="hint">It answers from the documentation of Valet and of Fastify.</p>
          </section>
          <section className="chat" aria-label="Chat">
            <AgentChat
              branding={{
                title: "Acme Assistant",
                subtitle: "What can I help with?",
                description: "Answers come from the documentation, with their sources.",
                examplePrompts,
              }}
            />
          </section>
        </main>
      </div>
    </AgentProvider>
  );
}

const logo = new URL("favicon.svg", import.meta.url).href;

/** A tool that acts in the page, and asks first. A real model can call it. */
function paintTool(paint: (color: string) => void): AgentTool<unknown> {
  return createToolHelper()({
    name: "change_accent_color",
    displayName: "Change the colour of the page",
    description: "Changes the accent colour of the page that the person is looking at.",
    parameters: {
      type: "object",
      properties: { color: { type: "string", pattern: "^#[0-9a-fA-F]{6}$" } },
      required: ["color"],
      additionalProperties: false,
    },
    needsApproval: true,
    execute: ({ color }) => {
      if (typeof color !== "string" || !/^#[0-9a-f]{6}$/i.test(color)) {
        throw new Error("The colour must be written as #rrggbb.");
      }
      paint(color);
      return { painted: color };
    },
  });
}
