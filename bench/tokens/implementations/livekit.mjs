import { cannot, refusals } from "../cannot.mjs";

export const about = {
  name: "LiveKit",
  packages: ["livekit-client"],
  window: "60 s, blocking",
  configuration: "`TokenSource.custom`, fetched without options.",
  cannot: cannot(refusals, "The source hands out tokens; the room connects with them."),
};

export async function load() {
  const { TokenSource } = await import("livekit-client");
  return ({ endpoint }) => {
    const source = TokenSource.custom(async () => ({
      serverUrl: "wss://rooms.test",
      participantToken: (await endpoint.issue()).token,
    }));
    return { get: async () => (await source.fetch({})).participantToken };
  };
}
