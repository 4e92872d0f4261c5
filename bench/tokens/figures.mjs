import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "rolldown";

const core = fileURLToPath(new URL("../../packages/agent-core/dist/index.js", import.meta.url));

/**
 * The processor time of one awaited `getToken()` of a cached token, in microseconds, beside an async
 * function that does nothing. Alternating, the median of seven rounds. Time of the wall would be
 * that of whatever else runs on the machine.
 */
export async function cachedGet() {
  const { createSessionTokenManager } = await import(core);
  const manager = createSessionTokenManager(async () => ({ token: "cached", expiresIn: 3600 }));
  await manager.getToken();
  const nothing = async () => "cached";
  const rounds = { valet: [], nothing: [] };
  for (let round = 0; round < 8; round += 1) {
    rounds.valet.push(await time(() => manager.getToken()));
    rounds.nothing.push(await time(nothing));
  }
  // The first round warms up.
  return { valetUs: median(rounds.valet.slice(1)), nothingUs: median(rounds.nothing.slice(1)) };
}

async function time(use) {
  const uses = 200_000;
  const before = process.cpuUsage();
  for (let at = 0; at < uses; at += 1) await use();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / uses;
}

function median(values) {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** The size of the manager alone, bundled and minified as Vite does it, with gzip, in KiB. */
export async function managerGzipKib() {
  const entry = "\0entry";
  const { output } = await build({
    input: entry,
    write: false,
    plugins: [
      {
        name: "entry",
        resolveId: (id) => (id === entry ? id : null),
        load: (id) =>
          id === entry
            ? `export { createSessionTokenManager } from ${JSON.stringify(core)};`
            : null,
      },
    ],
    output: { format: "esm", minify: true },
  });
  return gzipSync(output[0].code, { level: 9 }).length / 1024;
}
