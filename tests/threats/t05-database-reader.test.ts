import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openDatabase } from "../../packages/server/src/database/database.ts";
import { testDatabases } from "../../packages/server/src/database/testing/test-databases.ts";
import { type AttackedServer, openAttackedServer, question } from "../support/attacked-server.ts";
import { password, setupCode, signUp } from "../support/people.ts";

/** T5: somebody reads the database, its log, the index or a copy of them. */

/** Everything that was handed out in a run through the whole product, by name. */
async function liveThrough(server: AttackedServer): Promise<Record<string, string>> {
  const cookie = await signUp(server);
  const kept = await server.newKey({ keep_copy: true });
  const revoked = await server.newKey();
  const code = await setupCode(server);
  const { session_token: anonymous } = await server.mint();
  const { session_token: owned } = await server.mint({ external_owner_id: "jo" });
  const { session_token: gone, session_id } = await server.mint({}, revoked.secret);
  for (const token of [anonymous, owned, gone]) {
    await (await server.as(token, "/chat/", { method: "POST", body: question("Hello?") })).text();
  }
  await server.as(owned, "/session/", { method: "DELETE" });
  await server.send(`${server.base}/sessions/${session_id}/`, {
    method: "DELETE",
    headers: { "x-api-key": server.apiKey },
  });
  await server.control.post(`/projects/${server.projectId}/keys/${revoked.id}/revoke`);
  return {
    key: server.apiKey,
    "kept key": kept.secret,
    "revoked key": revoked.secret,
    "set-up code": code,
    "anonymous token": anonymous,
    "owner's token": owned,
    "ended token": gone,
    password,
    cookie: decodeURIComponent(cookie.slice(cookie.indexOf("=") + 1).split(";")[0] ?? ""),
  };
}

/** The forms in which a text could lie somewhere. */
function formsOf(text: string): string[] {
  const bytes = Buffer.from(text);
  return [text, bytes.toString("hex"), bytes.toString("base64"), encodeURIComponent(text)];
}

function foundIn(content: string, secrets: Record<string, string>): string[] {
  return Object.entries(secrets)
    .filter(([, secret]) => formsOf(secret).some((form) => content.includes(form)))
    .map(([name]) => name);
}

test("no file of the data folder but the secrets, and no backup, holds anything that was handed out", async () => {
  const server = await openAttackedServer();
  try {
    const secrets = await liveThrough(server);
    expect(Object.values(secrets).every((text) => text.length > 20)).toBe(true);
    const passphrase = "a passphrase that nobody else has";
    const file = join(server.folder, "valet.backup");
    for await (const _ of server.control.lines("/backups", { file, passphrase })) void _;
    secrets.passphrase = passphrase;
    const files = readdirSync(server.folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== "secrets.json")
      .map((entry) => join(entry.parentPath, entry.name));
    for (const name of ["valet.db", "valet.db-wal", "valet.backup"]) {
      expect([name, files.some((each) => each.endsWith(`/${name}`))]).toEqual([name, true]);
    }
    const content = files.map((file) => readFileSync(file, "latin1")).join("\n");
    // What is not secret is there: the search finds what there is.
    expect(content).toContain(server.kid);
    expect(foundIn(content, secrets)).toEqual([]);
  } finally {
    await server.close();
  }
});

for (const kind of await testDatabases()) {
  if (kind.name !== "PostgreSQL") continue;
  test("no table of a PostgreSQL database holds anything that was handed out", async () => {
    const { place, drop } = await kind.createPlace();
    const server = await openAttackedServer({ VALET_DATABASE_URL: place });
    try {
      const secrets = await liveThrough(server);
      await server.close();
      const database = await openDatabase(place);
      const tables = await database.introspection.getTables();
      let content = "";
      for (const { name } of tables) {
        const rows = await database
          .selectFrom(name as never)
          .selectAll()
          .execute();
        content += JSON.stringify(rows, (_, value) =>
          value?.type === "Buffer" ? Buffer.from(value.data).toString("latin1") : value,
        );
      }
      await database.destroy();
      expect(content).toContain(server.kid);
      expect(foundIn(content, secrets)).toEqual([]);
    } finally {
      await drop();
    }
  });
}
