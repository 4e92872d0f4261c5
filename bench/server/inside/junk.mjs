// What a token costs that looks right and is not: well-formed, unexpired, with a checksum that
// somebody made up. Says the processor time of each, and how many statements storage got for all.
import { randomBytes } from "node:crypto";
import * as parts from "./parts.mjs";

const [file, count] = [process.argv[2], Number(process.argv[3])];
const atOnce = 10_000;
let statements = 0;
const database = await parts.openDatabase(file, {
  onStatement: () => {
    statements += 1;
  },
});
const formatWith = (mac) =>
  parts.createSessionTokenFormat({
    environment: "bench",
    currentEpoch: "A",
    macKeys: new Map([["A", mac]]),
  });
const streams = parts.createOpenStreams();
const sessions = await parts.createSessions({
  store: parts.createSqlSessionStore(database),
  states: await parts.createProjectStates({
    store: parts.createSqlProjectStateStore(database),
    onOff: () => undefined,
  }),
  format: formatWith(randomBytes(32)),
  streams,
  revocations: await parts.createRevocations({
    store: parts.createSqlRevocationStore(database),
    streams,
  }),
  isKeyRevoked: () => false,
});
const stranger = formatWith(randomBytes(32));
const expiresAtS = Math.ceil(Date.now() / 1000) + 3600;

statements = 0;
let usedUs = 0;
let refused = 0;
let measured = 0;
const refuse = (error) => {
  if (error.code === "invalid_token") refused += 1;
};
// The first ones warm up.
for (let done = -atOnce; done < count; done += atOnce) {
  const tokens = Array.from({ length: atOnce }, () => stranger.create(expiresAtS));
  const before = process.cpuUsage();
  for (const token of tokens) await sessions.verify(token).catch(refuse);
  const { user, system } = process.cpuUsage(before);
  if (done < 0) continue;
  usedUs += user + system;
  measured += atOnce;
}
await database.destroy();
if (refused !== measured + atOnce) throw new Error("A junk token was let through.");
parts.tell({ us: usedUs / measured, reads: statements, count: measured });
