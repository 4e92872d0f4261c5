/**
 * The one token endpoint of all scenarios, and the API that takes its tokens. Times are in
 * milliseconds of the virtual clock.
 */
export function createEndpoint({ now }) {
  const issued = new Map();
  const endpoint = {
    calls: 0,
    sends: 0,
    latencyMs: 100,
    lifeMs: 3_600_000,
    /** What the client's clock is ahead of the server's. */
    clientAheadMs: 0,
    fails: (_call) => false,
    hangs: (_call) => false,
    /** Replies with an empty token. */
    isEmpty: false,
    revoked: new Set(),
    serverNow: () => now() - endpoint.clientAheadMs,

    /**
     * One call: what every adapter's callback gets its token from. It ends with the signal that an
     * implementation hands to its callback.
     */
    async issue(signal) {
      endpoint.calls += 1;
      const call = endpoint.calls;
      if (endpoint.hangs(call)) await new Promise(() => undefined);
      await delay(endpoint.latencyMs, signal);
      if (endpoint.fails(call)) throw new Error("The endpoint is down.");
      const atMs = endpoint.serverNow();
      const expiresAtMs = atMs + endpoint.lifeMs;
      const token = endpoint.isEmpty ? "" : unsignedJwt(call, atMs, expiresAtMs);
      issued.set(token, expiresAtMs);
      return { token, expiresAtMs, lifeMs: endpoint.lifeMs };
    },

    isValid(token) {
      const expiresAtMs = issued.get(token);
      return (
        expiresAtMs !== undefined &&
        endpoint.serverNow() < expiresAtMs &&
        !endpoint.revoked.has(token)
      );
    },

    /** The status of one request that takes so long. */
    async send(token, tookMs) {
      endpoint.sends += 1;
      await delay(tookMs);
      return endpoint.isValid(token) ? 200 : 401;
    },
  };
  return endpoint;
}

function delay(ms, signal) {
  return new Promise((resolve, reject) => {
    setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => reject(signal.reason ?? new Error("aborted")));
  });
}

const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Peers that read tokens want a JWT; nobody here looks at its signature. */
function unsignedJwt(call, atMs, expiresAtMs) {
  const seconds = (ms) => Math.floor(ms / 1000);
  const claims = {
    iat: seconds(atMs),
    nbf: seconds(atMs),
    exp: seconds(expiresAtMs),
    jti: String(call),
    sub: "visitor",
  };
  return `${encode({ alg: "none", typ: "JWT" })}.${encode(claims)}.x`;
}
