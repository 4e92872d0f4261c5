// How much a session takes in SQLite, with its owner and all indexes, when as many have come and
// gone as are there.
import { randomBytes } from "node:crypto";
import * as parts from "./parts.mjs";

const [file, rows] = [process.argv[2], Number(process.argv[3])];
const stepsOfChurn = 10;
const lifeS = 3600;
const startS = 1_800_000_000;

await (await parts.openDatabase(file)).destroy();
const connection = new parts.SQLite(file);
// Bytes are counted here and not time: nothing has to survive.
connection.pragma("synchronous = off");
connection.pragma("cache_size = -400000");

const projects = Array.from({ length: 20 }, () => `prj_${parts.randomBase62(16)}`);
const keys = Array.from({ length: 100 }, () => parts.randomBase62(12));
let made = 0;

const columns = [
  "digest",
  "sid",
  "project_id",
  "kid",
  "owner",
  "issued_at_ms",
  "expires_at_s",
  "policy",
];
const addition = connection.prepare(
  `insert into session (${columns}) values (${columns.map(() => "?")})`,
);
const removal = connection.prepare(
  "delete from session where sid in (select sid from session where expires_at_s < ? limit ?)",
);

/** Sessions come at an even pace: `rows` of them live at any time. */
const insert = connection.transaction((count) => {
  for (let done = 0; done < count; done += 1) {
    const issuedAtMs = Math.floor(startS * 1000 + (made * lifeS * 1000) / rows);
    made += 1;
    addition.run(
      randomBytes(32),
      `ses_${parts.randomBase62(22)}`,
      projects[made % projects.length],
      keys[made % keys.length],
      `customer-${100_000 + Math.floor(Math.random() * 200_000)}`,
      issuedAtMs,
      Math.ceil(issuedAtMs / 1000) + lifeS,
      "{}",
    );
  }
});

/** Forgets the eldest, in the steps and by the statement of the server's clean-up. */
const forget = connection.transaction((count) => {
  for (let done = 0; done < count; done += 500) {
    removal.run(2 ** 40, Math.min(500, count - done));
  }
});

insert(rows);
for (let step = 0; step < stepsOfChurn; step += 1) {
  forget(rows / stepsOfChurn);
  insert(rows / stepsOfChurn);
}
connection.close();

const read = new parts.SQLite(file, { readonly: true });
const { count } = read.prepare("select count(*) as count from session").get();
const shares = read
  .prepare(
    `select s.name, sum(s.pgsize) as bytes from dbstat s join sqlite_schema m on m.name = s.name
     where m.tbl_name = 'session' group by s.name order by bytes desc`,
  )
  .all();
const bytes = shares.reduce((sum, share) => sum + share.bytes, 0);
parts.tell({
  bytes: bytes / count,
  count,
  shares: shares.map(({ name, bytes: share }) => ({ name, bytes: share / count })),
});
