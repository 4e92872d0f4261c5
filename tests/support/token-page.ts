import { type AgentSnapshot, createSessionTokenManager, sessionEndpoint } from "@valet/agent-core";
import { AgentChat, AgentProvider, useAgentChat } from "@valet/agent-react";
import { createElement, StrictMode } from "react";
import { createRoot } from "react-dom/client";

/** What the tests of token-lifecycle.test.ts do in a page. Bundled by them, and run in Chromium. */
export interface TokenPage {
  /** Sends one request; its status, or the code of its error. */
  ask(): Promise<string>;
  /** The same with a callback as people write it: the reply alone, and nothing of its headers. */
  askPlainly(): Promise<string>;
  reset(): void;
  state(): string;
  readonly events: string[];
  /** Mounts a provider in strict mode and renders it so often with new inline callbacks. */
  mount(renders: number): Promise<void>;
  /** Sends a message through what was mounted. */
  say(text: string): Promise<void>;
  auth(): AgentSnapshot["auth"] | undefined;
}

const events: string[] = [];
// Waits are a hundred times as long as usual: what does not wait for the page's return is seen.
const timers = {
  set: (callback: () => void, delayMs: number) => setTimeout(callback, delayMs * 100),
  clear: (timer: unknown) => clearTimeout(timer as number),
};
const tokens = createSessionTokenManager(sessionEndpoint("/api/session"), {
  timers,
  random: () => 0.99,
});
tokens.subscribe(({ type }) => events.push(type));
const plain = createSessionTokenManager(async ({ signal }) => {
  const answer = await fetch("/api/session", { method: "POST", signal });
  const { session_token, expires_at } = (await answer.json()) as Record<string, string>;
  return { session_token: session_token ?? "", ...(expires_at !== undefined && { expires_at }) };
});

async function askWith(manager: typeof tokens): Promise<string> {
  try {
    const answer = await manager.withToken((token) =>
      fetch("/api/ask", { headers: { authorization: `Bearer ${token}` } }),
    );
    return String(answer.status);
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

let send: ((text: string) => Promise<void>) | undefined;
let auth: AgentSnapshot["auth"] | undefined;

function Chat() {
  const chat = useAgentChat();
  send = chat.sendMessage;
  auth = chat.auth;
  return createElement(AgentChat);
}

async function mount(renders: number): Promise<void> {
  const element = document.createElement("div");
  document.body.append(element);
  const root = createRoot(element);
  for (let render = 0; render < renders; render += 1) {
    root.render(
      createElement(
        StrictMode,
        null,
        createElement(
          AgentProvider,
          {
            projectId: "prj_1",
            integrationId: "int_1",
            // A new one each time, as people write it.
            getSessionToken: async () => {
              const answer = await fetch("/api/session", { method: "POST" });
              return (await answer.json()) as { session_token: string };
            },
          },
          createElement(Chat),
        ),
      ),
    );
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
}

const page: TokenPage = {
  ask: () => askWith(tokens),
  askPlainly: () => askWith(plain),
  reset: () => tokens.reset(),
  state: () => tokens.getSnapshot().state,
  events,
  mount,
  say: async (text) => send?.(text),
  auth: () => auth,
};
(globalThis as { tokenPage?: TokenPage }).tokenPage = page;
