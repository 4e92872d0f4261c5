export const about = {
  name: "oauth2-client",
  packages: ["@badgateway/oauth2-client"],
  window: "none without a refresh token; with one, a timer 1 min ahead for lives of 2 min and more",
  configuration: "`OAuth2Fetch` with `getNewToken`, and its middleware.",
  cannot: {},
};

export async function load() {
  const { OAuth2Client, OAuth2Fetch } = await import("@badgateway/oauth2-client");
  return ({ endpoint }) => {
    const wrapper = new OAuth2Fetch({
      client: new OAuth2Client({ server: "https://auth.test", clientId: "bench" }),
      async getNewToken() {
        const { token, expiresAtMs } = await endpoint.issue();
        return { accessToken: token, expiresAt: expiresAtMs, refreshToken: null };
      },
    });
    const middleware = wrapper.mw();
    return {
      get: () => wrapper.getAccessToken(),
      async request(tookMs) {
        const answer = await middleware(new Request("https://api.test/"), async (request) => {
          const token = request.headers.get("authorization").slice("Bearer ".length);
          return new Response(null, { status: await endpoint.send(token, tookMs()) });
        });
        return answer.status;
      },
    };
  };
}
