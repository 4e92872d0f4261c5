import { AuthorizationServer, DateInterval, OAuthRequest } from "@jmondi/oauth2-server";
import { serve } from "./answer.mjs";
import { openSqlite } from "./sqlite.mjs";

const database = openSqlite(process.argv[2]);
database.exec("create table token (token text primary key, payload text) without rowid");
const insert = database.prepare("insert into token values (?, ?)");
const select = database.prepare("select payload from token where token = ?");
let made = 0;

const clientOf = (id) => ({
  id,
  name: id,
  secret: "secret",
  redirectUris: [],
  allowedGrants: ["client_credentials"],
  scopes: [],
});
const server = new AuthorizationServer(
  {
    getByIdentifier: async (id) => clientOf(id),
    isClientValid: async (_grant, client, secret) => client.secret === secret,
  },
  {
    async issueToken(client, scopes) {
      made += 1;
      const accessToken = `token-${made}-${Math.random()}`;
      return { accessToken, accessTokenExpiresAt: new Date(Date.now() + 3.6e6), client, scopes };
    },
    persist: async (token) => void insert.run(token.accessToken, JSON.stringify(token)),
    async getByAccessToken(text) {
      const row = select.get(text);
      if (!row) throw new Error("There is no such token.");
      const token = JSON.parse(row.payload);
      return { ...token, accessTokenExpiresAt: new Date(token.accessTokenExpiresAt) };
    },
    issueRefreshToken: async (token) => token,
    revoke: async () => undefined,
    isRefreshTokenRevoked: async () => false,
    getByRefreshToken: async () => undefined,
  },
  { getAllByIdentifiers: async () => [], finalize: async (scopes) => scopes },
  "a secret of the bench, and of nothing else",
);
server.enableGrantType("client_credentials", new DateInterval("1h"));

serve(async ({ path, headers, body }) => {
  const fields = Object.fromEntries(new URLSearchParams(body));
  const request = new OAuthRequest({ headers, body: fields, query: {} });
  const answer =
    path === "/verify"
      ? await server.introspect(request)
      : await server.respondToAccessTokenRequest(request);
  const isRefused = path === "/verify" && answer.body.active !== true;
  return { status: isRefused ? 401 : answer.status, body: answer.body };
});
