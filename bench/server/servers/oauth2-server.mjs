import OAuth2Server from "@node-oauth/oauth2-server";
import { serve } from "./answer.mjs";
import { openSqlite } from "./sqlite.mjs";

const database = openSqlite(process.argv[2]);
database.exec("create table token (token text primary key, payload text) without rowid");
const insert = database.prepare("insert into token values (?, ?)");
const select = database.prepare("select payload from token where token = ?");

const server = new OAuth2Server({
  accessTokenLifetime: 3600,
  model: {
    getClient: async (id) => ({ id, grants: ["client_credentials"] }),
    getUserFromClient: async ({ id }) => ({ id }),
    async saveToken(token, client, user) {
      const saved = { ...token, client, user };
      insert.run(token.accessToken, JSON.stringify(saved));
      return saved;
    },
    async getAccessToken(text) {
      const row = select.get(text);
      if (!row) return false;
      const token = JSON.parse(row.payload);
      return { ...token, accessTokenExpiresAt: new Date(token.accessTokenExpiresAt) };
    },
  },
});

serve(async ({ path, headers, body }) => {
  const method = path === "/verify" ? "GET" : "POST";
  const fields = Object.fromEntries(new URLSearchParams(body));
  const request = new OAuth2Server.Request({ method, headers, query: {}, body: fields });
  const response = new OAuth2Server.Response();
  if (path === "/verify") {
    const { user } = await server.authenticate(request, response);
    return { body: { active: true, sub: user.id } };
  }
  await server.token(request, response);
  return { status: response.status, body: response.body };
});
