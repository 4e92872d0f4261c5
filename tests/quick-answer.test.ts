import type { Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { listen } from "../packages/server/src/http/listen.ts";
import type { QuickAnswer } from "../packages/server/src/http/quick-answer.ts";
import { openTestServer, type TestServer } from "./support/valet-server.ts";

/*
 * One server with two doors: through one, requests may be answered before the app sees them, and
 * through the other never. Nobody can tell which one a request went through.
 */
let valet: TestServer;
let base: string;
/** Requests that were answered before the app. */
let quick = 0;
const doors: Server[] = [];
const tokens: Record<string, string> = {};

beforeAll(async () => {
  valet = await openTestServer({ VALET_PUBLIC_URL: "https://valet.test" });
  base = `/agent/v1/projects/${valet.projectId}/agent`;
  const quickAnswer: QuickAnswer = (incoming, outgoing) => {
    const isAnswered = valet.server.quickAnswer(incoming, outgoing);
    if (isAnswered) quick += 1;
    return isAnswered;
  };
  for (const door of [{ quickAnswer }, {}]) {
    doors.push(await listen(valet.server.app, { port: 0, host: "127.0.0.1" }, door));
  }
  const mint = async (name: string, body: object = {}, apiKey = valet.apiKey) => {
    const answer = await valet.fetch(`https://valet.test${base}/sessions/`, {
      method: "POST",
      headers: { "x-api-key": apiKey, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    expect(answer.status).toBe(201);
    tokens[name] = ((await answer.json()) as { session_token: string }).session_token;
  };
  const byKey = (path: string, body: object) =>
    valet.fetch(`https://valet.test${base}${path}`, {
      method: "POST",
      headers: { "x-api-key": valet.apiKey, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  await mint("short", { ttl_seconds: 60 });
  valet.clock.ms += 30_000;
  await mint("plain");
  await mint("owner", { external_owner_id: 'a "b",\\"expires_in":1, \u2028ä', ttl_seconds: 3_000 });
  await mint("integration", { integration_id: valet.integrationId, metadata: { a: 1 } });
  await mint("streams", { limits: { streams: 2 } });
  await mint("turns", { limits: { turns: 5 } });
  await mint("tokens", { limits: { model_tokens: 500 } });
  await mint("origins", { origins: ["https://good.test"] });
  await mint("visitor", { external_owner_id: "gone" });
  await mint("blocked", { external_owner_id: "blocked" });
  await mint("revoked");
  const { secret, id } = await valet.control.post<{ secret: string; id: string }>(
    `/projects/${valet.projectId}/keys`,
    { name: "Ends" },
  );
  await mint("ofEndedKey", {}, secret);
  // All but one were used, and are in memory; that one is read from the database.
  for (const token of Object.values(tokens)) {
    await exchange(1, get({ token }));
  }
  await mint("unused");
  const { session_id } = (await (
    await valet.fetch(`https://valet.test${base}/session/`, {
      headers: { authorization: `Bearer ${tokens.revoked}` },
    })
  ).json()) as { session_id: string };
  await byKey("/revocations/", { targets: [{ session: session_id }] });
  await byKey("/revocations/", { targets: [{ owner: "blocked" }], block: true });
  await valet.control.post(`/projects/${valet.projectId}/keys/${id}/revoke`, {});
  valet.clock.ms += 60_000;
});
afterAll(async () => {
  for (const door of doors) door.close();
  await valet.close();
});
beforeEach(() => {
  quick = 0;
});

interface Asked {
  readonly token?: string | undefined;
  readonly line?: string;
  readonly headers?: readonly string[];
}

/** The text of a request; with a token, if one is given, and the usual line. */
function get({ token, line = `GET ${base}/session/ HTTP/1.1`, headers = [] }: Asked): string {
  const authorization = token === undefined ? [] : [`Authorization: Bearer ${token}`];
  const host = headers.some((header) => /^host:/i.test(header)) ? [] : ["Host: valet.test"];
  return [line, ...host, ...authorization, ...headers, "Connection: close", "", ""].join("\r\n");
}

interface Answer {
  readonly line: string | undefined;
  readonly headers: readonly string[];
  readonly body: string;
}

/** Sends bytes through a door, and reads until the connection ends. */
function exchange(door: number, text: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { port } = (doors[door] as Server).address() as AddressInfo;
    const socket = connect(port, "127.0.0.1", () => socket.write(Buffer.from(text, "latin1")));
    let said = "";
    socket.setEncoding("utf8").on("data", (piece) => {
      said += piece;
    });
    socket.on("error", reject);
    socket.on("close", () => {
      const [head = "", ...rest] = said.split("\r\n\r\n");
      const [line, ...headers] = head.split("\r\n");
      resolve({ line, headers, body: rest.join("\r\n\r\n") });
    });
  });
}

/** An answer without what differs from one request to the next: ids, and how long it is still good. */
function settled({ line, headers, body }: Answer) {
  return {
    line,
    headers: headers
      .filter((header) => !/^date:/i.test(header))
      .map((header) => header.replace(/req_\w{22}/, "req"))
      .sort(),
    body: body.replace(/req_\w{22}/g, "req").replace(/"expires_in":(\d+)\}$/, (_, left) => {
      return `"expires_in":${Number(left) + Math.floor(valet.clock.ms / 1000)}}`;
    }),
  };
}

/**
 * Sends the same requests through one door and then through the other, each time after a pause in
 * which the limits forget, and gives what both of them answered.
 */
async function ask(texts: readonly string[], pauseMs = 1_000) {
  const sent = [];
  for (const door of doors.keys()) {
    valet.clock.ms += pauseMs;
    const answers = [];
    for (const text of texts) answers.push(settled(await exchange(door, text)));
    sent.push(answers);
  }
  const [first = [], second] = sent;
  expect(first).toEqual(second);
  return first;
}

const statusOf = (answers: Awaited<ReturnType<typeof ask>>) =>
  answers.map(({ line }) => Number(line?.split(" ")[1]));

test("a good token that is in memory is answered before the app, and in the same way", async () => {
  const path = `${base}/session`;
  const { plain, owner, integration, streams, visitor } = tokens;
  const requests = [
    ...[plain, owner, integration, streams, visitor].map((token) => get({ token })),
    get({ token: plain, line: `GET ${path} HTTP/1.1` }),
    get({ headers: [`aUtHoRiZaTiOn: bEaReR   ${plain}`] }),
    get({ token: plain, headers: ["Origin: https://any.test", "X-Request-Id: req_mine"] }),
    get({
      token: plain,
      headers: ["Accept-Encoding: gzip", "If-None-Match: *", "Range: bytes=0-1"],
    }),
    get({ token: tokens.origins, headers: ["Origin: https://good.test"] }),
    get({ token: tokens.origins }),
  ];
  for (const request of requests) {
    const before = quick;
    expect(statusOf(await ask([request])), request).toEqual([200]);
    expect(quick - before, request).toBe(1);
  }
});

test("whatever is unusual or to be refused goes the long way", async () => {
  const { plain } = tokens;
  const junk = `S${"0".repeat(63)}`;
  const path = `${base}/session/`;
  const stranger = `/agent/v1/projects/prj_0000000000000000/agent/session/`;
  const requests: [number, string][] = [
    [401, get({})],
    [401, get({ token: junk })],
    [401, get({ token: `${plain?.slice(0, -1)}_` })],
    [401, get({ token: `${plain?.slice(0, -1)}${plain?.endsWith("0") ? "1" : "0"}` })],
    [401, get({ token: tokens.short })],
    [401, get({ token: tokens.revoked })],
    [401, get({ token: tokens.blocked })],
    [401, get({ token: tokens.ofEndedKey })],
    [401, get({ headers: ["Authorization: Bearer"] })],
    [401, get({ headers: [`Authorization: Basic ${plain}`] })],
    [401, get({ headers: [`Authorization: Bearer ${plain} ${plain}`] })],
    [401, get({ token: plain, headers: [`Authorization: Bearer ${plain}`] })],
    [400, get({ token: plain, headers: [`X-API-Key: ${valet.apiKey}`] })],
    [401, get({ headers: [`X-API-Key: ${valet.apiKey}`] })],
    [403, get({ token: tokens.origins, headers: ["Origin: https://evil.test"] })],
    [404, get({ token: plain, line: `GET ${stranger} HTTP/1.1` })],
    [401, get({ token: junk, line: `GET ${stranger} HTTP/1.1` })],
    [200, get({ token: plain, line: `HEAD ${path} HTTP/1.1` })],
    [204, get({ token: plain, line: `OPTIONS ${path} HTTP/1.1` })],
    [404, get({ token: plain, line: `PUT ${path} HTTP/1.1`, headers: ["Content-Length: 0"] })],
    [200, get({ token: plain, line: `GET ${path}?a=1 HTTP/1.1` })],
    [400, get({ token: plain, line: `GET ${path}?access_token=${plain} HTTP/1.1` })],
    [400, get({ line: `GET ${path}?token=${plain} HTTP/1.1` })],
    [404, get({ token: plain, line: `GET ${path}/ HTTP/1.1` })],
    [200, get({ token: plain, line: `GET /${path} HTTP/1.1` })],
    [200, get({ token: plain, line: `GET ${base}/./session/ HTTP/1.1` })],
    [200, get({ token: plain, line: `GET ${base}/sessio%6E/ HTTP/1.1` })],
    [200, get({ token: tokens.turns })],
    [200, get({ token: tokens.tokens })],
    [400, get({ token: plain, headers: ["Host: valet.test/evil"] })],
    [200, get({ token: plain, headers: ["Host: a.test", "Host: b.test"] })],
    [200, get({ token: plain, headers: ["Host: VALET.test"] })],
    [200, get({ token: plain, line: `GET ${path} HTTP/1.0` })],
    [200, `${get({ token: plain, headers: ["Content-Length: 2"] })}{}`],
  ];
  for (const [status, request] of requests) {
    expect([statusOf(await ask([request]))[0], request]).toEqual([status, request]);
  }
  expect(quick).toBe(0);
});

test("a token is read from the database by the app, and from then on is in memory", async () => {
  const request = get({ token: tokens.unused });
  expect(settled(await exchange(0, request)).line).toContain("200");
  expect(quick).toBe(0);
  expect(statusOf(await ask([request]))).toEqual([200]);
  expect(quick).toBe(1);
});

test("both doors draw on the same limit, and say so in the same words", async () => {
  const settings = { limits: { session_requests: { per_minute: 60, burst: 3 } } };
  await valet.control.put(`/projects/${valet.projectId}/settings`, settings);
  const request = get({ token: tokens.plain });
  const answers = await ask(
    Array.from({ length: 5 }, () => request),
    60_000,
  );
  expect(statusOf(answers)).toEqual([200, 200, 200, 429, 429]);
  expect(quick).toBe(3);
  // What one door took is not there for the other.
  valet.clock.ms += 60_000;
  const doorsInTurn = [0, 1, 0, 1, 0];
  const mixed = [];
  for (const door of doorsInTurn) mixed.push(settled(await exchange(door, request)));
  expect(statusOf(mixed)).toEqual([200, 200, 200, 429, 429]);
  await valet.control.put(`/projects/${valet.projectId}/settings`, {});
});

test("what its project forbids from now on ends the short way, too", async () => {
  const request = get({ token: tokens.plain, headers: ["Origin: https://any.test"] });
  await valet.control.put(`/projects/${valet.projectId}/settings`, {
    allowed_origins: ["https://good.test"],
    session: { streams: 1 },
  });
  expect(statusOf(await ask([request]))).toEqual([403]);
  const [answer] = await ask([get({ token: tokens.plain })]);
  expect(answer?.body).toContain('"streams":1');
  await valet.control.put(`/projects/${valet.projectId}/settings`, {});
  const [after] = await ask([request]);
  expect(after?.body).toContain('"streams":null');
});

test("any mixture of lines and headers is answered alike by both doors", async () => {
  const { plain, origins, turns } = tokens;
  const lines = fc
    .tuple(
      fc.constantFrom("GET", "GET", "GET", "HEAD", "OPTIONS"),
      fc.constantFrom(
        "/session",
        "/session/",
        "/session/?",
        "/session//",
        "/Session/",
        "/sessions/",
      ),
      fc.constantFrom("HTTP/1.1", "HTTP/1.1", "HTTP/1.0"),
    )
    .map(([method, path, version]) => `${method} ${base}${path} ${version}`);
  const header = fc.constantFrom(
    ...[plain, origins, turns, `S${"z".repeat(63)}`, ""].map(
      (each) => `Authorization: Bearer ${each}`,
    ),
    `AUTHORIZATION: bearer ${plain}`,
    "Origin: https://good.test",
    "Origin: null",
    "origin: https://evil.test",
    `X-Api-Key: ${valet.apiKey}`,
    "Cookie: a=b",
    "Host: other.test:80",
    "Host: [::1]:3000",
    "X-Forwarded-For: 10.0.0.1",
    "Content-Length: 0",
    "Expect: 100-continue",
    "Accept: */*",
  );
  await fc.assert(
    fc.asyncProperty(
      fc.option(lines, { freq: 3, nil: undefined }),
      fc.option(fc.constantFrom(plain, origins), { freq: 4, nil: undefined }),
      fc.array(header, { maxLength: 3 }),
      async (line, token, headers) => {
        await ask([get({ token, headers, ...(line !== undefined && { line }) })]);
      },
    ),
    { numRuns: 150 },
  );
  expect(quick).toBeGreaterThan(0);
});

test("each request has its own line in the log, whichever way it went", async () => {
  const linesOf = (text: string) =>
    text
      .split("\n")
      .filter((line) => line.includes('"msg":"request"'))
      .map((line) => Object.keys(JSON.parse(line)));
  const before = linesOf(valet.log()).length;
  await ask([get({ token: tokens.plain })]);
  const lines = linesOf(valet.log()).slice(before);
  expect(lines).toHaveLength(2);
  expect(lines[0]).toEqual(lines[1]);
  expect(valet.log()).not.toContain(tokens.plain);
});
