// Stateless anchors: what a signature alone takes. Such tokens cannot be ended before their time.
import { jwtVerify, SignJWT } from "jose";
import { AccessToken, TokenVerifier } from "livekit-server-sdk";
import { serve } from "./answer.mjs";

const secret = "a secret of the bench, and of nothing else";
// Imported once: made anew for each token it would be several times as slow.
const key = await crypto.subtle.importKey(
  "raw",
  new TextEncoder().encode(secret),
  { name: "HMAC", hash: "SHA-256" },
  false,
  ["sign", "verify"],
);
const verifier = new TokenVerifier("bench", secret);

const libraries = {
  livekit: {
    sign: (identity) => new AccessToken("bench", secret, { identity, ttl: "1h" }).toJwt(),
    verify: async (token) => (await verifier.verify(token)).sub,
  },
  jose: {
    sign: (subject) =>
      new SignJWT({})
        .setProtectedHeader({ alg: "HS256" })
        .setSubject(subject)
        .setIssuedAt()
        .setExpirationTime("1h")
        .sign(key),
    verify: async (token) => (await jwtVerify(token, key)).payload.sub,
  },
};
const { sign, verify } = libraries[process.argv[3]];

serve(async ({ path, headers, body }) => {
  if (path === "/verify") {
    return { body: { active: true, sub: await verify(headers.authorization.slice(7)) } };
  }
  return { status: 201, body: { token: await sign(JSON.parse(body).owner) } };
});
