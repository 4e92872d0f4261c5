import { cannot, refusals } from "../cannot.mjs";

export const about = {
  name: "assistant-cloud",
  packages: ["assistant-cloud"],
  window: "30 s, blocking",
  configuration:
    "`AssistantCloud` with `authToken`; the token is read from the request that it sends.",
  cannot: cannot(refusals, "There is no handling of 401: it surfaces as an error of the API."),
};

export async function load() {
  const { AssistantCloud } = await import("assistant-cloud");
  return ({ endpoint }) => {
    let header;
    globalThis.fetch = async (_, init) => {
      header = new Headers(init?.headers).get("authorization");
      return Response.json({ threads: [] });
    };
    const cloud = new AssistantCloud({
      baseUrl: "https://cloud.test",
      authToken: async () => (await endpoint.issue()).token,
      telemetry: false,
    });
    return {
      async get() {
        await cloud.threads.list();
        return header.slice("Bearer ".length);
      },
    };
  };
}
