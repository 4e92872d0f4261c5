import { cannot, refusals } from "../cannot.mjs";

export const about = {
  name: "App Check",
  packages: ["@firebase/app-check"],
  window: "none on demand",
  configuration: "`initializeAppCheck` with a `CustomProvider`, no automatic refresh.",
  cannot: cannot(refusals, "App Check hands out tokens; refusals are the caller's matter."),
};

export const load = () => loadWith(false);

export async function loadWith(isTokenAutoRefreshEnabled) {
  globalThis.self = globalThis;
  await import("fake-indexeddb/auto");
  const { initializeApp } = await import("@firebase/app");
  const { CustomProvider, getToken, initializeAppCheck } = await import("@firebase/app-check");
  return ({ endpoint }) => {
    const app = initializeApp({ projectId: "bench", apiKey: "bench", appId: "1:1:web:1" });
    const appCheck = initializeAppCheck(app, {
      provider: new CustomProvider({
        async getToken() {
          const { token, expiresAtMs } = await endpoint.issue();
          return { token, expireTimeMillis: expiresAtMs };
        },
      }),
      isTokenAutoRefreshEnabled,
    });
    return { get: async () => (await getToken(appCheck)).token };
  };
}
