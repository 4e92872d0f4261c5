export const about = {
  name: "Azure core",
  packages: ["@azure/core-rest-pipeline"],
  window: "2 min, in the background, a try every 3 s; the last second blocks",
  configuration: "`bearerTokenAuthenticationPolicy` with a credential and one scope.",
  cannot: {},
};

export async function load() {
  const { bearerTokenAuthenticationPolicy, createHttpHeaders, createPipelineRequest } =
    await import("@azure/core-rest-pipeline");
  return ({ endpoint }) => {
    const policy = bearerTokenAuthenticationPolicy({
      scopes: "https://api.test/.default",
      credential: {
        async getToken(_, { abortSignal }) {
          const { token, expiresAtMs } = await endpoint.issue(abortSignal);
          return { token, expiresOnTimestamp: expiresAtMs };
        },
      },
    });
    const send = (abortSignal, next) =>
      policy.sendRequest(
        createPipelineRequest({ url: "https://api.test/", ...(abortSignal && { abortSignal }) }),
        next,
      );
    const tokenOf = (request) => request.headers.get("authorization").slice("Bearer ".length);
    return {
      async get(signal) {
        let token;
        await send(signal, async (request) => {
          token = tokenOf(request);
          return { request, status: 200, headers: createHttpHeaders() };
        });
        return token;
      },
      async request(tookMs) {
        const { status } = await send(undefined, async (request) => ({
          request,
          status: await endpoint.send(tokenOf(request), tookMs()),
          headers: createHttpHeaders(),
        }));
        return status;
      },
    };
  };
}
