import { apiKey } from "@better-auth/api-key";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { serve } from "./answer.mjs";
import { openSqlite } from "./sqlite.mjs";

const auth = betterAuth({
  baseURL: "http://127.0.0.1",
  secret: "a secret of the bench, and of nothing else",
  database: openSqlite(process.argv[2]),
  emailAndPassword: { enabled: true },
  // Its default lets a key through ten times a day.
  plugins: [apiKey({ rateLimit: { enabled: false } })],
});
await (await getMigrations(auth.options)).runMigrations();
const users = [];
for (let at = 0; at < 8; at += 1) {
  const body = { email: `${at}@bench.example`, password: "a long password", name: `person ${at}` };
  users.push((await auth.api.signUpEmail({ body })).user.id);
}
let next = 0;

serve(async ({ path, body }) => {
  if (path === "/verify") {
    const answer = await auth.api.verifyApiKey({ body: JSON.parse(body) });
    return { status: answer.valid ? 200 : 401, body: answer };
  }
  next += 1;
  const userId = users[next % users.length];
  return { status: 201, body: await auth.api.createApiKey({ body: { userId, name: "bench" } }) };
});
