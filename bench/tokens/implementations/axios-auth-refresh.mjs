import { cannot, lives } from "../cannot.mjs";

export const about = {
  name: "axios-auth-refresh",
  packages: ["axios-auth-refresh", "axios"],
  window: "none",
  configuration:
    "`createAuthRefresh` with its defaults, and a request interceptor that sets the header.",
  cannot: cannot(
    ["cold", "cold-down", "hangs", "hangs-once", "empty", ...lives],
    "The interceptor answers to 401s; it has no token to hand out and no clock.",
  ),
};

export async function load() {
  const { default: axios, AxiosError } = await import("axios");
  const { createAuthRefresh } = await import("axios-auth-refresh");
  return ({ endpoint }) => {
    let token;
    const client = axios.create({
      baseURL: "https://api.test/",
      async adapter(config) {
        const used = String(config.headers.Authorization).slice("Bearer ".length);
        const status = await endpoint.send(used, config.tookMs());
        const response = { status, data: {}, headers: {}, config, statusText: "" };
        if (status === 200) return response;
        throw new AxiosError("refused", "ERR_BAD_REQUEST", config, undefined, response);
      },
    });
    client.interceptors.request.use((config) => {
      config.headers.Authorization = `Bearer ${token}`;
      return config;
    });
    createAuthRefresh(client, async () => {
      token = (await endpoint.issue()).token;
    });
    return {
      // The first token is the app's own; the interceptor comes into play with the first 401.
      async get() {
        token = (await endpoint.issue()).token;
        return token;
      },
      request: async (tookMs) => (await client.get("/", { tookMs })).status,
    };
  };
}
