import { cannot, refusals } from "../cannot.mjs";

export const about = {
  name: "smithy",
  packages: ["@smithy/core"],
  window: "5 min, blocking",
  configuration:
    "`memoizeIdentityProvider` with `createIsIdentityExpiredFunction(300000)`, as the AWS SDK does.",
  cannot: cannot(refusals, "The provider hands out identities; refusals are the client's matter."),
};

export async function load() {
  const { memoizeIdentityProvider, createIsIdentityExpiredFunction, doesIdentityRequireRefresh } =
    await import("@smithy/core");
  return ({ endpoint }) => {
    const provide = memoizeIdentityProvider(
      async () => {
        const { token, expiresAtMs } = await endpoint.issue();
        return { token, expiration: new Date(expiresAtMs) };
      },
      createIsIdentityExpiredFunction(300_000),
      doesIdentityRequireRefresh,
    );
    return { get: async () => (await provide()).token };
  };
}
