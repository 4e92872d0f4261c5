import { connect } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AttackedServer, openAttackedServer, problemOf } from "../support/attacked-server.ts";

/** T32: smuggled, doubled and odd headers, over a raw socket. */
let server: AttackedServer;
let token: string;
beforeAll(async () => {
  server = await openAttackedServer();
  token = (await server.mint()).session_token;
});
afterAll(() => server.close());

/** Sends bytes as they are; the statuses of all answers that came. */
function raw(text: string): Promise<number[]> {
  return new Promise((resolve) => {
    const socket = connect(server.port, "127.0.0.1");
    let said = "";
    socket.on("data", (piece) => {
      said += String(piece);
    });
    socket.on("error", () => undefined);
    socket.on("close", () =>
      resolve([...said.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((m) => Number(m[1]))),
    );
    socket.end(Buffer.from(text, "latin1"));
  });
}

const get = (...headers: string[]) =>
  raw(
    [
      `GET ${server.base}/session/ HTTP/1.1`,
      "Host: valet.test",
      "Connection: close",
      ...headers,
      "",
      "",
    ].join("\r\n"),
  );

test("two credentials are one too many, in whatever order and case", async () => {
  const good = `Bearer ${token}`;
  expect(await get(`Authorization: ${good}`)).toEqual([200]);
  expect(await get(`aUtHoRiZaTiOn: bEaReR ${token}`)).toEqual([200]);
  for (const headers of [
    [`Authorization: ${good}`, `X-API-Key: ${server.apiKey}`],
    [`X-API-Key: ${server.apiKey}`, `Authorization: ${good}`],
  ]) {
    expect(await get(...headers)).toEqual([400]);
  }
  for (const headers of [
    [`Authorization: Bearer ${"x".repeat(64)}`, `Authorization: ${good}`],
    [`Authorization: ${good}`, "Authorization: Bearer other"],
    [`Authorization: ${good}, ${good}`],
    [`Authorization: ${good} ${token}`],
  ]) {
    const [status] = await get(...headers);
    expect([headers, status === 200]).toEqual([headers, false]);
  }
});

test("requests that are two requests for one reader and one for another are refused", async () => {
  const start = `POST ${server.base}/chat/ HTTP/1.1\r\nHost: valet.test\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n`;
  const hidden = `DELETE ${server.base}/session/ HTTP/1.1\r\nHost: valet.test\r\nAuthorization: Bearer ${token}\r\n\r\n`;
  for (const smuggled of [
    `${start}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
    `${start}Content-Length: 4\r\nContent-Length: ${4 + hidden.length}\r\n\r\n{}  ${hidden}`,
    `${start}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${hidden}`,
    `${start}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${hidden}`,
    `${start}X: a\nContent-Length: 0\r\n\r\n${hidden}`,
    `${start}X: a\0b\r\nContent-Length: 2\r\n\r\n{}${hidden}`,
  ]) {
    const statuses = await raw(smuggled);
    expect([smuggled, statuses.filter((status) => status < 400)]).toEqual([smuggled, []]);
  }
  expect(await get(`Authorization: Bearer ${token}`)).toEqual([200]);
});

test("no text but the token itself is taken for it", async () => {
  const mutations = fc.oneof(
    fc.string({ unit: "binary-ascii", maxLength: 80 }),
    fc.string({ unit: fc.constantFrom(..."0123456789ABCxyz"), minLength: 64, maxLength: 64 }),
    fc
      .tuple(fc.nat({ max: 64 }), fc.string({ unit: "binary-ascii", minLength: 1, maxLength: 2 }))
      .map(([at, more]) => `${token.slice(0, at)}${more}${token.slice(at)}`),
    fc
      .tuple(fc.nat({ max: 63 }), fc.constantFrom("", "\t", "\u00a0", "=", "%00"))
      .map(([at, more]) => `${token.slice(0, at)}${more}${token.slice(at + 1)}`),
  );
  await fc.assert(
    fc.asyncProperty(mutations, async (text) => {
      // What HTTP itself does not carry is no header at all.
      const carried = text.replace(/[\0\r\n]/g, "");
      fc.pre(carried.trim() !== token);
      server.clock.ms += 1_100;
      const answer = await server.fetch(`http://valet.test${server.base}/session/`, {
        headers: { authorization: `Bearer ${carried}` },
      });
      expect(answer.status).not.toBe(200);
      expect(answer.status).toBeLessThan(500);
    }),
    { numRuns: 150 },
  );
});

test("another scheme, and a token in the wrong header, are told apart from a missing one", async () => {
  expect(await problemOf(server.as("", "/session/", { headers: { authorization: token } }))).toBe(
    "401 invalid_token",
  );
  expect(
    await problemOf(server.as("", "/session/", { headers: { authorization: `Basic ${token}` } })),
  ).toBe("401 invalid_token");
  expect(await problemOf(server.send(`${server.base}/session/`))).toBe("401 missing_credential");
});
