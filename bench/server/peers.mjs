/** The servers beside which ours is measured, and how each is asked. */
const form = { "content-type": "application/x-www-form-urlencoded" };
const json = { "content-type": "application/json" };
const basic = (at) =>
  `Basic ${Buffer.from(`client-${at % 64}:secret-${at % 64}`).toString("base64")}`;
const bearer = (token) => ({
  method: "GET",
  path: "/verify",
  headers: { authorization: `Bearer ${token}` },
});

export const peers = [
  {
    id: "oidc-provider",
    packages: ["oidc-provider"],
    mint: "client_credentials",
    verify: "introspection",
    mintRequest: (at) => ({
      method: "POST",
      path: "/token",
      headers: { ...form, authorization: basic(at) },
      body: "grant_type=client_credentials",
    }),
    verifyRequest: ({ access_token: token }, at) => ({
      method: "POST",
      path: "/token/introspection",
      headers: { ...form, authorization: basic(at) },
      body: `token=${token}`,
    }),
  },
  {
    id: "better-auth",
    packages: ["better-auth", "@better-auth/api-key"],
    mint: "createApiKey",
    verify: "verifyApiKey",
    mintRequest: () => ({ method: "POST", path: "/mint", headers: json, body: "{}" }),
    verifyRequest: ({ key }) => ({
      method: "POST",
      path: "/verify",
      headers: json,
      body: JSON.stringify({ key }),
    }),
  },
  {
    id: "oauth2-server",
    packages: ["@node-oauth/oauth2-server"],
    mint: "client_credentials",
    verify: "authenticate",
    mintRequest: (at) => ({
      method: "POST",
      path: "/mint",
      headers: form,
      body: `grant_type=client_credentials&client_id=client-${at % 64}&client_secret=secret`,
    }),
    verifyRequest: ({ access_token: token }) => bearer(token),
  },
  {
    id: "ts-oauth2-server",
    packages: ["@jmondi/oauth2-server"],
    mint: "client_credentials, a stored JWT",
    verify: "introspection",
    mintRequest: (at) => ({
      method: "POST",
      path: "/mint",
      headers: form,
      body: `grant_type=client_credentials&client_id=client-${at % 64}&client_secret=secret`,
    }),
    verifyRequest: ({ access_token: token }, at) => ({
      method: "POST",
      path: "/verify",
      headers: form,
      body: `token=${token}&client_id=client-${at % 64}&client_secret=secret`,
    }),
  },
  ...["livekit", "jose"].map((id) => ({
    id,
    packages: [id === "jose" ? "jose" : "livekit-server-sdk"],
    file: "jwt",
    mint: "signs, stores nothing",
    verify: "checks the signature",
    mintRequest: (at) => ({
      method: "POST",
      path: "/mint",
      headers: json,
      body: JSON.stringify({ owner: `customer-${at}` }),
    }),
    verifyRequest: ({ token }) => bearer(token),
  })),
];
