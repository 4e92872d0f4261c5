// One implementation in one scenario, in a process of its own: whatever it does to the clock or to
// globals ends with it. Prints one line of JSON.
import { createEndpoint } from "./endpoint.mjs";
import { scenarios } from "./scenarios.mjs";
import { installVirtualClock } from "./virtual-clock.mjs";

const [implementationName, scenarioId] = process.argv.slice(2);
const { load } = await import(`./implementations/${implementationName}.mjs`);
const scenario = scenarios.find(({ id }) => id === scenarioId);
const open = await load();

const unhandled = [];
process.on("unhandledRejection", (reason) => unhandled.push(String(reason)));
process.on("uncaughtException", (error) => unhandled.push(String(error)));

const clock = installVirtualClock();
const endpoint = createEndpoint(clock);
const implementation = await open({ endpoint, now: clock.now, advance: clock.advance });

/** What became of a promise, without waiting for it. */
function watch(promise) {
  const startedMs = clock.now();
  const watched = { kind: "pending" };
  promise.then(
    (value) => {
      const kind = value === undefined ? "nothing" : "token";
      const wasValid = endpoint.isValid(value);
      Object.assign(watched, { kind, value, wasValid, ms: clock.now() - startedMs });
    },
    (error) => {
      Object.assign(watched, { kind: "error", error, ms: clock.now() - startedMs });
    },
  );
  return watched;
}

// Nothing that is thrown at once may end the scenario for the other callers.
const get = async (signal) => implementation.get(signal);
const request = async (tookMs) => implementation.request(tookMs);
async function prime() {
  const first = watch(get());
  await clock.advance(1_000);
  if (first.kind !== "token") throw new Error(`The first token did not come: ${first.kind}`);
  return first.value;
}

const result = await scenario.run({ ...clock, endpoint, watch, get, request, prime, unhandled });
const { calls = endpoint.calls } = result;
process.stdout.write(`${JSON.stringify({ ...result, calls })}\n`, () => process.exit(0));
