/** What the snippets are filled in with. */
export interface SnippetFacts {
  readonly projectId: string;
  readonly integrationId: string;
  /** Address of this Valet server, without a slash at its end. */
  readonly apiUrl: string;
  /** Where each package of the SDK stands on it, by name. */
  readonly sdkPackages: Readonly<Record<string, string>>;
}

/** A piece of code to copy. */
export interface Snippet {
  readonly title: string;
  readonly language: "sh" | "tsx" | "js" | "html";
  readonly code: string;
}

function install({ apiUrl, sdkPackages }: SnippetFacts, names: readonly string[]): Snippet {
  const lines = names.map((name) => `  ${apiUrl}${sdkPackages[name] ?? ""}`);
  return {
    title: "Install",
    language: "sh",
    // In one command, because the packages need each other and no registry has them.
    code: `npm install \\\n${lines.join(" \\\n")}`,
  };
}

/** For a React app. */
export function reactSnippets(facts: SnippetFacts): Snippet[] {
  return [
    install(facts, ["@valet/protocol", "@valet/agent-core", "@valet/agent-react"]),
    {
      title: "Your page",
      language: "tsx",
      code: `import { AgentChat, AgentProvider } from "@valet/agent-react";
import "@valet/agent-react/styles.css";

const getSessionToken = async () => {
  const res = await fetch("/api/session", { method: "POST" });
  if (!res.ok) throw new Error("Session creation failed");
  return res.json();
};

export function Help() {
  return (
    <AgentProvider
      projectId="${facts.projectId}"
      integrationId="${facts.integrationId}"
      getSessionToken={getSessionToken}
    >
      <div style={{ height: 600 }}>
        <AgentChat />
      </div>
    </AgentProvider>
  );
}`,
    },
  ];
}

/** For a page without a build. */
export function javascriptSnippets(facts: SnippetFacts): Snippet[] {
  return [
    {
      title: "Your page",
      language: "html",
      code: `<form id="ask">
  <input id="question" aria-label="Question" required>
  <button>Ask</button>
</form>
<div id="answer" role="log"></div>

<script type="module">
  import { Agent } from "${facts.apiUrl}/sdk/valet.js";

  const agent = new Agent({
    projectId: "${facts.projectId}",
    integrationId: "${facts.integrationId}",
    getSessionToken: async () => {
      const res = await fetch("/api/session", { method: "POST" });
      if (!res.ok) throw new Error("Session creation failed");
      return res.json();
    },
    onMessagesChange(messages) {
      document.getElementById("answer").textContent = messages
        .map((message) => (message.role === "user" ? "> " : "") + message.content)
        .join("\\n\\n");
    },
  });

  document.getElementById("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    agent.sendMessage(document.getElementById("question").value);
  });
</script>`,
    },
    {
      title: "Or the ready chat, as an element",
      language: "html",
      code: `<script type="module" src="${facts.apiUrl}/sdk/valet-element.js"></script>

<valet-agent
  launcher
  project-id="${facts.projectId}"
  integration-id="${facts.integrationId}"
></valet-agent>`,
    },
  ];
}

/** For the server that holds the key. */
export function sessionEndpointSnippets(facts: SnippetFacts): Snippet[] {
  const handler = `import { createSessionHandler } from "@valet/session-proxy";

const handleSession = createSessionHandler({
  apiKey: process.env.VALET_API_KEY,
  projectId: "${facts.projectId}",
  integrationId: "${facts.integrationId}",
  baseUrl: "${facts.apiUrl}",
  // Who may chat: whoever your own login knows.
  authorize: (request) => findUser(request),
  // Whose conversations these are.
  owner: (request, user) => user.id,
});`;
  return [
    install(facts, ["@valet/protocol", "@valet/session-proxy"]),
    { title: "The handler", language: "js", code: handler },
    {
      title: "Express",
      language: "js",
      code: `import { toNodeHandler } from "@valet/session-proxy/node";

app.post("/api/session", toNodeHandler(handleSession));`,
    },
    {
      title: "Fastify",
      language: "js",
      code: `import { toFastifyHandler } from "@valet/session-proxy/node";

fastify.post("/api/session", toFastifyHandler(handleSession));`,
    },
    {
      title: "Hono",
      language: "js",
      code: `import { toHonoHandler } from "@valet/session-proxy/hono";

app.post("/api/session", toHonoHandler(handleSession));`,
    },
    {
      title: "Next (app/api/session/route.ts)",
      language: "js",
      code: `import { toNextRoute } from "@valet/session-proxy/next";

export const { POST, OPTIONS } = toNextRoute(handleSession);`,
    },
    {
      title: "Any other language",
      language: "sh",
      code: `curl --request POST \\
  "${facts.apiUrl}/agent/v1/projects/${facts.projectId}/agent/sessions/" \\
  --header "X-API-Key: $VALET_API_KEY"`,
    },
  ];
}
