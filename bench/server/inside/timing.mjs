// Whether the time of a refused key tells why it was refused. Keys of three kinds in random order;
// Welch's t between each pair of kinds, with the slowest tenth cut off, as such tests do.
import { randomInt } from "node:crypto";
import { crc32 } from "node:zlib";
import * as parts from "./parts.mjs";

const samples = Number(process.argv[2]);
const warmUps = 20_000;
const database = await parts.openDatabase(":memory:");
const projects = parts.createProjects({ store: parts.createSqlProjectStore(database) });
const { id: projectId } = await projects.create({ name: "bench" });
const keys = await parts.createApiKeys({
  store: parts.createSqlApiKeyStore(database),
  secrets: {
    currentEpoch: "A",
    pepper: new Map([["A", Buffer.alloc(32, 1)]]),
    keyCopy: Buffer.alloc(32, 2),
  },
});
const known = [];
for (let at = 0; at < 2_000; at += 1) {
  known.push((await keys.create({ projectId, name: "k", actor: "bench" })).secret);
}

const seal = (body) => body + parts.toBase62(crc32(body), 6);
const pick = () => known[randomInt(known.length)];
const kinds = {
  "unknown id": () => parts.createApiKey().text,
  "wrong secret": () => seal(`${pick().slice(0, 22)}${parts.randomBase62(43)}`),
  "wrong last byte": () => {
    const body = pick().slice(0, -6);
    return seal(body.slice(0, -1) + (body.endsWith("0") ? "1" : "0"));
  },
};
const names = Object.keys(kinds);
const times = Object.fromEntries(names.map((name) => [name, []]));

function measure(text) {
  const before = process.hrtime.bigint();
  try {
    keys.verify(text);
  } catch (error) {
    const took = Number(process.hrtime.bigint() - before);
    if (error.code === "invalid_api_key") return took;
    throw error;
  }
  throw new Error("A wrong key was let through.");
}

// All texts are made before the first is measured: making them differs, and leaves traces.
const texts = Array.from({ length: warmUps + samples * names.length }, () => {
  const name = names[randomInt(names.length)];
  return { name, bytes: Buffer.from(kinds[name](), "latin1") };
});
for (const [at, { name, bytes }] of texts.entries()) {
  const ns = measure(bytes.toString("latin1"));
  if (at >= warmUps) times[name].push(ns);
}
await database.destroy();

// All kinds are cut at the same time, so that none is made to look faster.
const all = names.flatMap((name) => times[name]).sort((a, b) => a - b);
const cut = all[Math.floor(all.length * 0.9)];
function describe(name) {
  const kept = times[name].filter((value) => value <= cut);
  const mean = kept.reduce((sum, value) => sum + value, 0) / kept.length;
  const variance = kept.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (kept.length - 1);
  return { name, mean, variance, count: kept.length };
}
const found = names.map(describe);
const pairs = found.flatMap((a, at) => found.slice(at + 1).map((b) => ({ a, b })));
parts.tell({
  samples,
  means: found.map(({ name, mean }) => ({ name, ns: mean })),
  pairs: pairs.map(({ a, b }) => {
    const t = (a.mean - b.mean) / Math.sqrt(a.variance / a.count + b.variance / b.count);
    return { one: a.name, other: b.name, t: Math.abs(t) };
  }),
});
