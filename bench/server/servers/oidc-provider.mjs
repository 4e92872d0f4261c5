import { createServer } from "node:http";
import Provider from "oidc-provider";
import { listen } from "./answer.mjs";
import { openSqlite } from "./sqlite.mjs";

const database = openSqlite(process.argv[2]);
database.exec(
  "create table model (id text primary key, kind text, payload text, expires_at integer) without rowid; create index model_end on model (expires_at)",
);
const upsert = database.prepare("insert or replace into model values (?, ?, ?, ?)");
const select = database.prepare("select payload from model where id = ? and kind = ?");
const remove = database.prepare("delete from model where id = ? and kind = ?");

/** The one that it brings keeps 1000 entries in memory. */
class SqliteAdapter {
  constructor(kind) {
    this.kind = kind;
  }
  async upsert(id, payload, expiresIn) {
    upsert.run(id, this.kind, JSON.stringify(payload), Math.floor(Date.now() / 1000) + expiresIn);
  }
  async find(id) {
    const row = select.get(id, this.kind);
    return row && JSON.parse(row.payload);
  }
  async destroy(id) {
    remove.run(id, this.kind);
  }
}

const provider = new Provider("http://127.0.0.1", {
  adapter: SqliteAdapter,
  clients: Array.from({ length: 64 }, (_, at) => ({
    client_id: `client-${at}`,
    client_secret: `secret-${at}`,
    grant_types: ["client_credentials"],
    redirect_uris: [],
    response_types: [],
  })),
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    revocation: { enabled: true },
    devInteractions: { enabled: false },
  },
  formats: { bitsOfOpaqueRandomness: 384 },
  ttl: { ClientCredentials: 3600 },
});
listen(createServer(provider.callback()));
