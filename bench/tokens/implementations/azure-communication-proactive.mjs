import { loadWith, about as onDemand } from "./azure-communication.mjs";

export const about = {
  ...onDemand,
  name: "Azure communication, proactive",
  packages: [],
  window: "10 min, by a timer, then at half of what is left",
  configuration: "The same with `refreshProactively: true`.",
};

export const load = () => loadWith(true);
