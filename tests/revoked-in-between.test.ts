import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestServer, type TestServer } from "./support/valet-server.ts";

let valet: TestServer;
beforeAll(async () => {
  valet = await openTestServer();
});
afterAll(() => valet.close());

test("a session that is revoked while its question is still arriving gets no answer", async () => {
  const base = `http://valet.test/agent/v1/projects/${valet.projectId}/agent`;
  const key = { "x-api-key": valet.apiKey };
  const minted = await valet.fetch(`${base}/sessions/`, { method: "POST", headers: key });
  const { session_token: token, session_id: sid } = (await minted.json()) as Record<string, string>;
  const question = JSON.stringify({
    messages: [{ id: "u_1", role: "user", parts: [{ type: "text", text: "How is a key made?" }] }],
  });
  // The body is read when the token has been checked: that is the moment of the revocation.
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        await valet.fetch(`${base}/sessions/${sid}/`, { method: "DELETE", headers: key });
        controller.enqueue(new TextEncoder().encode(question));
        controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  const answer = await valet.fetch(`${base}/chat/`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body,
    duplex: "half",
  } as RequestInit);
  const text = await answer.text();
  expect(text).toContain('"code":"token_revoked"');
  expect(text).not.toContain("text-delta");
  expect(text.trimEnd().endsWith("data: [DONE]")).toBe(true);
});
