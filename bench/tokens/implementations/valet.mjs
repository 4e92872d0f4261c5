export const about = {
  name: "Valet",
  packages: [],
  window: "30 s, at most a quarter of the life",
  configuration:
    "`createSessionTokenManager` with its defaults and seeded jitter. Replies as Valet's server gives them; only `expires_at` in the two scenarios with a wrong clock.",
  cannot: {},
};

export async function load() {
  const { createSessionTokenManager } = await import(
    new URL("../../../packages/agent-core/dist/index.js", import.meta.url).href
  );
  return ({ endpoint }) => {
    let seed = 1;
    const manager = createSessionTokenManager(
      async ({ signal }) => {
        const { token, expiresAtMs, lifeMs } = await endpoint.issue(signal);
        return {
          session_token: token,
          expires_at: new Date(expiresAtMs).toISOString(),
          ...(endpoint.clientAheadMs === 0 && { expires_in: lifeMs / 1000 }),
        };
      },
      {
        // A generator of Lehmer's: the same waits in every run.
        random: () => {
          seed = (seed * 48_271) % 2_147_483_647;
          return seed / 2_147_483_647;
        },
      },
    );
    return {
      get: async (signal) => (await manager.getToken(signal && { signal })).value,
      async request(tookMs) {
        const answer = await manager.withToken(async (token) => {
          return new Response(null, { status: await endpoint.send(token, tookMs()) });
        });
        return answer.status;
      },
    };
  };
}
