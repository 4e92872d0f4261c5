// The load: autocannon, in a process of its own. It holds the requests and sends windows of them.
import autocannon from "autocannon";

const pools = new Map();

process.on("message", async ({ pool, window }) => {
  if (pool) {
    pools.set(pool.name, { requests: pool.requests, next: 0 });
    process.send({ done: true });
    return;
  }
  try {
    process.send({ result: await run(window) });
  } catch (error) {
    process.send({ error: String(error) });
  }
});

/** Sends `amount` requests of a pool, each connection its own share, going on where the last window ended. */
async function run({ url, pool: name, amount, connections }) {
  const pool = pools.get(name);
  const share = Math.ceil(amount / connections);
  const startedMs = performance.now();
  let isOver = false;
  // Waking a process that sleeps is paid for by who wakes it, and a slow server would wake this one
  // more often than a fast one: so it does not sleep.
  const stayAwake = () => void (isOver || setImmediate(stayAwake));
  stayAwake();
  const result = await autocannon({
    url,
    connections,
    amount: share * connections,
    sampleInt: 50,
    timeout: 20,
    setupClient(client) {
      const mine = Array.from({ length: Math.min(share, pool.requests.length) }, () => {
        const request = pool.requests[pool.next % pool.requests.length];
        pool.next += 1;
        return request;
      });
      client.setRequests(mine);
    },
  });
  isOver = true;
  const { non2xx, errors, timeouts, latency } = result;
  return {
    requests: result["2xx"],
    refused: non2xx + errors + timeouts,
    statuses: Object.keys(result.statusCodeStats).join(", "),
    tookMs: performance.now() - startedMs,
    p50Ms: latency.p50,
    p99Ms: latency.p99,
  };
}
