export const about = {
  name: "Google",
  packages: ["google-auth-library"],
  window: "5 min, blocking",
  configuration: "`OAuth2Client` with a `refreshHandler` and `forceRefreshOnFailure: true`.",
  cannot: {},
};

export async function load() {
  const { OAuth2Client } = await import("google-auth-library");
  return ({ endpoint }) => {
    const client = new OAuth2Client({ forceRefreshOnFailure: true });
    client.refreshHandler = async () => {
      const { token, expiresAtMs } = await endpoint.issue();
      return { access_token: token, expiry_date: expiresAtMs };
    };
    return {
      get: async () => (await client.getAccessToken()).token,
      async request(tookMs) {
        const answer = await client.request({
          url: "https://api.test/",
          retry: false,
          validateStatus: (status) => status === 200,
          fetchImplementation: async (_, init) => {
            const token = new Headers(init.headers).get("authorization").slice("Bearer ".length);
            return Response.json({}, { status: await endpoint.send(token, tookMs()) });
          },
        });
        return answer.status;
      },
    };
  };
}
