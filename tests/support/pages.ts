import { Agent } from "../../packages/agent-core/src/agent.ts";
import type { AgentOptions } from "../../packages/agent-core/src/agent-options.ts";
import type { AgentSnapshot } from "../../packages/agent-core/src/agent-snapshot.ts";
import type { AgentHarness } from "../../packages/server/src/agent/testing/agent-harness.ts";
import type { SessionPrincipal } from "../../packages/server/src/sessions/principal.ts";

/** A `fetch` that reaches the agent's routes of a harness as a session, without a port. */
export function fetchOf(
  harness: Pick<AgentHarness, "request">,
  session: SessionPrincipal,
): typeof fetch {
  return (async (input: RequestInfo | URL, init: RequestInit = {}) => {
    const path = new URL(String(input)).pathname.replace(
      /^.*\/agent\/v1\/projects\/[^/]+\/agent/,
      "",
    );
    return harness.request(session, path.replace(/\/$/, ""), init);
  }) as typeof fetch;
}

/** Opens a page: an agent of the SDK on a harness. It hears of no other page unless told to. */
export function openPage(
  harness: Pick<AgentHarness, "request">,
  session: SessionPrincipal,
  options: Partial<AgentOptions> = {},
): Agent {
  return new Agent({
    projectId: session.projectId,
    integrationId: "int_1",
    baseUrl: "http://valet.test",
    getSessionToken: async () => ({ token: "t", expiresAt: Date.now() + 3_600_000 }),
    fetch: fetchOf(harness, session),
    shareTabs: false,
    ...options,
  });
}

/** Resolves when a snapshot fits. */
export function until(
  agent: Agent,
  fits: (snapshot: AgentSnapshot) => boolean,
): Promise<AgentSnapshot> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!fits(agent.getSnapshot())) return;
      stop();
      resolve(agent.getSnapshot());
    };
    const stop = agent.subscribe(look);
    look();
  });
}

/** Whether nothing is under way. */
export const isIdle = ({ isStreaming }: AgentSnapshot): boolean => !isStreaming;

/** The conversation as lines. */
export const linesOf = (agent: Agent): string[] =>
  agent.getMessages().map(({ role, content }) => `${role}: ${content}`);
