import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent, type ToolCallDisplay } from "@valet/agent-core";
import { scriptedModel, type TestServer, testServer } from "@valet/server/testing";
import { afterAll, beforeAll, expect, test } from "vitest";

/** The SDK and the server about calls that wait for a person, over HTTP. */
const folder = mkdtempSync(join(tmpdir(), "valet-sdk-approvals-"));
const model = scriptedModel(
  {
    calls: [
      { id: "c_ticket", name: "create_ticket", input: { title: "From the model" } },
      { id: "c_delete", name: "delete_ticket", input: {} },
      { id: "c_move", name: "move", input: { to: "there" } },
      { id: "c_look", name: "look", input: {} },
    ],
  },
  { text: "Done." },
);
let server: TestServer;

beforeAll(async () => {
  const file = join(folder, "tools.mjs");
  writeFileSync(
    file,
    `export const tools = ["create_ticket", "delete_ticket"].map((name) => ({
      name,
      description: "Works on a ticket.",
      inputSchema: {
        type: "object",
        properties: { title: { type: "string", maxLength: 20 } },
        additionalProperties: false,
      },
      needsApproval: true,
      isEditable: name === "create_ticket",
      execute: (input) => ({ name, ...input }),
    }));`,
  );
  server = await testServer({ model, variables: { VALET_SERVER_TOOLS: file } });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

function callsOf(agent: Agent): Record<string, ToolCallDisplay> {
  const blocks = agent.getMessages().at(-1)?.blocks ?? [];
  const calls = blocks.flatMap((block) => (block.type === "tool_calls" ? block.toolCalls : []));
  return Object.fromEntries(calls.map((call) => [call.name, call]));
}

test("calls of both sides wait at once; edits are checked by the server, and each runs as it was decided", async () => {
  const { url, projectId, integrationId, apiKey } = server;
  const runs: unknown[] = [];
  const place = { type: "object", properties: { to: { type: "string" } }, required: ["to"] };
  const agent: Agent = new Agent({
    projectId,
    integrationId,
    baseUrl: url,
    getSessionToken: async () => {
      const path = `/agent/v1/projects/${projectId}/agent/sessions/`;
      const headers = { "x-api-key": apiKey, "content-type": "application/json" };
      // The server's own tools are for sessions of an integration.
      const body = JSON.stringify({ integration_id: integrationId });
      return (await fetch(`${url}${path}`, { method: "POST", headers, body })).json();
    },
    tools: [
      {
        name: "move",
        description: "Moves.",
        parameters: place,
        needsApproval: true,
        execute: (args) => runs.push(args),
      },
      {
        name: "look",
        description: "Looks.",
        parameters: { type: "object" },
        needsApproval: () => false,
        execute: () => "seen",
      },
    ],
  });
  const waiting = (): string[] =>
    Object.values(callsOf(agent))
      .filter(({ status }) => status === "approval_requested")
      .map(({ name }) => name);
  const sent = agent.sendMessage("Work");
  await expect.poll(() => agent.getSnapshot().status).toBe("awaiting-approval");
  await expect.poll(waiting).toEqual(["create_ticket", "delete_ticket", "move"]);
  await expect.poll(() => callsOf(agent).look?.status).toBe("completed");
  const { create_ticket: ticket, delete_ticket: deletion, move } = callsOf(agent);
  expect([ticket?.isEditable, deletion?.isEditable, move?.isEditable]).toEqual([
    true,
    false,
    false,
  ]);
  expect(runs).toEqual([]);

  agent.rejectToolCall(deletion?.id ?? "", "It is still needed.");
  agent.approveToolCall(move?.id ?? "");
  await agent.approveToolCall(ticket?.id ?? "", { editedInput: { title: "x".repeat(21) } });
  // Everything else is with the server now; what it did not take is asked for again.
  await expect.poll(() => callsOf(agent).create_ticket?.error).toContain("title");
  await expect.poll(waiting).toEqual(["create_ticket"]);
  await agent.approveToolCall(ticket?.id ?? "", { editedInput: { title: "From the person" } });
  await sent;

  expect(agent.getMessages().at(-1)?.content).toBe("Done.");
  expect(runs).toEqual([{ to: "there" }]);
  expect(callsOf(agent)).toMatchObject({
    create_ticket: {
      status: "completed",
      arguments: { title: "From the person" },
      result: { name: "create_ticket", title: "From the person" },
    },
    delete_ticket: { status: "denied" },
    move: { status: "completed" },
    look: { status: "completed", result: "seen" },
  });
  const toldTheModel = JSON.stringify(model.calls[1]?.prompt);
  expect(toldTheModel).toContain("From the person");
  expect(toldTheModel).toContain("It is still needed.");
  agent.dispose();
});
