import { Agent, type AgentSnapshot } from "@valet/agent-core";

/** What the tests of two-tabs.test.ts do in a tab. Bundled by them, and run in Chromium. */
export interface TabPage {
  readonly agent: Agent;
  snapshot(): AgentSnapshot;
  /** How often the page's tool ran in this tab. */
  readonly runs: () => number;
}

let runs = 0;
const agent = new Agent({
  projectId: "prj_1",
  integrationId: "int_1",
  getSessionToken: async () => ({ token: "t", expiresAt: Date.now() + 3_600_000 }),
  tools: [
    {
      name: "open_billing",
      description: "Opens billing.",
      parameters: { type: "object" },
      needsApproval: true,
      execute: () => {
        runs += 1;
        return { opened: true };
      },
    },
  ],
});
// As a page does that wants to survive a reload, and a second tab.
agent.subscribe(() => {
  const { threadId } = agent.getSnapshot();
  if (threadId !== undefined) localStorage.setItem("thread", threadId);
});
const kept = localStorage.getItem("thread");
if (kept !== null) void agent.attachThread(kept);
const page: TabPage = { agent, snapshot: () => agent.getSnapshot(), runs: () => runs };
Object.assign(globalThis, { tabPage: page });
