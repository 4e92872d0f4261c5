import { request } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AttackedServer, openAttackedServer } from "../support/attacked-server.ts";
import { signUp } from "../support/people.ts";

/** T55: a forged `Host` header gets into links, cookies or redirects. */
let server: AttackedServer;
let open: AttackedServer;
beforeAll(async () => {
  server = await openAttackedServer({ VALET_PUBLIC_URL: "https://valet.example" });
  open = await openAttackedServer();
});
afterAll(async () => {
  await server?.close();
  await open?.close();
});

const evil = {
  host: "evil.example",
  "x-forwarded-host": "evil.example",
  "x-forwarded-proto": "https",
  forwarded: "host=evil.example",
};

/** All of an answer, as text. `fetch` sets `Host` itself; this does not. */
function say(
  at: AttackedServer,
  method: string,
  path: string,
  headers: Record<string, string>,
  body = "",
): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: "127.0.0.1", port: at.port, method, path, headers: { ...evil, ...headers } },
      (answer) => {
        let text = `${answer.statusCode} ${JSON.stringify(answer.rawHeaders)} `;
        answer.on("data", (piece) => {
          text += String(piece);
        });
        answer.on("end", () => resolve(text));
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

test("nothing that the server says names a host that the request made up", async () => {
  for (const at of [server, open]) {
    const cookie = await signUp(at);
    const minted = await say(at, "POST", `${at.base}/sessions/`, { "x-api-key": at.apiKey });
    expect(minted).toContain("201 ");
    const { session_token: token } = await at.mint();
    const answers = [
      minted,
      await say(at, "GET", `${at.base}/session/`, { authorization: `Bearer ${token}` }),
      await say(at, "GET", "/sources/doc_x?ticket=x", {}),
      await say(at, "GET", "/admin/v1/server", { cookie }),
      await say(at, "GET", "/admin/v1/auth/get-session", { cookie }),
      await say(
        at,
        "POST",
        "/admin/v1/auth/sign-in/email",
        { "content-type": "application/json", origin: "https://evil.example" },
        JSON.stringify({
          email: "ada@example.com",
          password: "x".repeat(12),
          callbackURL: "https://evil.example",
        }),
      ),
      await say(at, "GET", "/openapi.json", {}),
      await say(at, "GET", "/nowhere", {}),
      await say(at, "GET", "/", {}),
    ];
    for (const answer of answers) expect(answer).not.toContain("evil.example");
  }
  const minted = await say(server, "POST", `${server.base}/sessions/`, {
    "x-api-key": server.apiKey,
  });
  expect(minted).toContain('"api_url":"https://valet.example"');
  const { url } = await server.control.post<{ url: string }>("/setup-links");
  expect(url.startsWith("https://valet.example/setup#")).toBe(true);
});
