import { cannot, refusals } from "../cannot.mjs";

export const about = {
  name: "Azure communication",
  packages: ["@azure/communication-common"],
  window: "none on demand",
  configuration: "`AzureCommunicationTokenCredential` with a `tokenRefresher`.",
  cannot: cannot(refusals, "The credential hands out tokens; refusals are the caller's matter."),
};

export const load = () => loadWith(false);

export async function loadWith(refreshProactively) {
  const { AzureCommunicationTokenCredential } = await import("@azure/communication-common");
  return ({ endpoint }) => {
    const credential = new AzureCommunicationTokenCredential({
      tokenRefresher: async (abortSignal) => (await endpoint.issue(abortSignal)).token,
      refreshProactively,
    });
    return {
      get: async (abortSignal) => (await credential.getToken(abortSignal && { abortSignal })).token,
    };
  };
}
