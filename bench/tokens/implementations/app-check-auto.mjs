import { loadWith, about as onDemand } from "./app-check.mjs";

export const about = {
  ...onDemand,
  name: "App Check, automatic",
  packages: [],
  window: "5 min after half of the life, at the latest 5 min before its end, by a timer",
  configuration: "The same with `isTokenAutoRefreshEnabled: true`.",
};

export const load = () => loadWith(true);
