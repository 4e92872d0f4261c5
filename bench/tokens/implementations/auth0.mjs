import { cannot, refusals } from "../cannot.mjs";

export const about = {
  name: "Auth0",
  packages: ["@auth0/auth0-spa-js"],
  window: "60 s, blocking",
  configuration:
    "`Auth0Client` with refresh tokens and a cache in memory whose access token is over; jsdom for the page.",
  cannot: cannot(refusals, "Its fetcher repeats a request for a DPoP nonce only."),
};

export async function load() {
  const { JSDOM } = await import("jsdom");
  const { window } = new JSDOM("", { url: "https://app.test/" });
  const { crypto } = globalThis;
  for (const name of ["window", "document", "location", "localStorage", "sessionStorage"]) {
    Object.defineProperty(globalThis, name, {
      configurable: true,
      writable: true,
      value: name === "window" ? window : window[name],
    });
  }
  Object.defineProperty(window, "crypto", { configurable: true, value: crypto });
  const { Auth0Client, InMemoryCache } = await import("@auth0/auth0-spa-js");
  return ({ endpoint, now }) => {
    const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const idToken = () => {
      const atS = Math.floor(endpoint.serverNow() / 1000);
      const claims = {
        iss: "https://auth.test/",
        aud: "bench",
        sub: "visitor",
        iat: atS,
        exp: atS + 36_000,
      };
      return `${encode({ alg: "RS256", typ: "JWT", kid: "1" })}.${encode(claims)}.c2ln`;
    };
    window.fetch = async () => {
      const { token, lifeMs } = await endpoint.issue();
      return Response.json({
        access_token: token,
        refresh_token: "refresh",
        id_token: idToken(),
        expires_in: lifeMs / 1000,
        token_type: "Bearer",
        scope: "openid profile email offline_access",
      });
    };
    globalThis.fetch = window.fetch;
    const cache = new InMemoryCache().enclosedCache;
    const scope = "openid profile email offline_access";
    cache.set(`@@auth0spajs@@::bench::default::${scope}`, {
      body: {
        client_id: "bench",
        access_token: "over",
        refresh_token: "refresh",
        expires_in: 1,
        scope,
        audience: "default",
        decodedToken: { claims: { __raw: "" }, user: { sub: "visitor" } },
        id_token: idToken(),
      },
      expiresAt: Math.floor(now() / 1000) - 10,
    });
    const client = new Auth0Client({
      domain: "auth.test",
      clientId: "bench",
      useRefreshTokens: true,
      useRefreshTokensFallback: false,
      cache,
      authorizationParams: { scope: "profile email" },
      // Workers are for the network of a browser; here the endpoint is in the page.
      workerUrl: undefined,
    });
    return { get: () => client.getTokenSilently() };
  };
}
