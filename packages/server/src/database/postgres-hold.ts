import { randomBytes } from "node:crypto";
import pg from "pg";
import { readPostgresError } from "./database-unavailable.ts";

/** Another server has the database. Until servers can share one, a database belongs to one server. */
export class DatabaseInUseError extends Error {
  override readonly name = "DatabaseInUseError";

  constructor() {
    super("Another Valet server is using this database.");
  }
}

/**
 * What became of the hold: `lost` when its connection broke, `back` when it was got again and
 * nobody else had it meanwhile, `taken` when somebody had. After `taken` nothing more comes.
 */
export type HoldEvent = "lost" | "back" | "taken";

/** A process's hold on a PostgreSQL database. */
export interface PostgresHold {
  isHeld(): boolean;
  /** Writes down, once the tables are there, that it is this process that has the database. */
  sign(): Promise<void>;
  release(): Promise<void>;
}

/** What {@link holdPostgres} takes. */
export interface PostgresHoldOptions {
  readonly onEvent?: (event: HoldEvent) => void;
  /** How often the connection is tried, in milliseconds. @default 5_000 */
  readonly beatMs?: number;
  /** How long an answer may take, in milliseconds. @default 5_000 */
  readonly answerWithinMs?: number;
  /** How long between two attempts to get a lost hold again, in milliseconds. @default 1_000 */
  readonly retryMs?: number;
  /** How long to wait for a server that is just going, in milliseconds. @default 2_000 */
  readonly patienceMs?: number;
}

/** Any number will do, as long as every Valet server asks for the same one: `valet` in ASCII. */
const lockId = "508069831028";

/**
 * Takes a database for this process, as the lock of the data folder does for an embedded one: keys
 * and revocations are mirrored in memory. It is an advisory lock of a connection of its own, which
 * PostgreSQL gives up with the connection. While that connection is lost another server could take
 * the database, so nothing is served until it is there again. Whoever takes the database signs it;
 * finding another signature means that the mirrors may be wrong, and the hold is over for good.
 *
 * @throws {@link DatabaseInUseError}
 * @see https://www.postgresql.org/docs/15/explicit-locking.html#ADVISORY-LOCKS
 */
export async function holdPostgres(
  url: string,
  {
    onEvent = () => undefined,
    beatMs = 5_000,
    answerWithinMs = 5_000,
    retryMs = 1_000,
    patienceMs = 2_000,
  }: PostgresHoldOptions = {},
): Promise<PostgresHold> {
  const me = randomBytes(16).toString("hex");
  let client: pg.Client | undefined;
  let isSigned = false;
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;

  /** A connection that has the lock; undefined while somebody else's has it. */
  async function take(): Promise<pg.Client | undefined> {
    const next = new pg.Client({
      connectionString: url,
      application_name: "valet hold",
      connectionTimeoutMillis: answerWithinMs,
      query_timeout: answerWithinMs,
      keepAlive: true,
    });
    next.on("error", () => undefined);
    try {
      await next.connect();
      const { rows } = await next.query("select pg_try_advisory_lock($1) as taken", [lockId]);
      const isMine = !isSigned || (await readSignature(next)) === me;
      if (!isMine) {
        end("taken");
      } else if (rows[0]?.taken && !isOver) {
        return next;
      }
      await next.end();
      return undefined;
    } catch (error) {
      next.end().catch(() => undefined);
      throw readPostgresError(error);
    }
  }

  function keep(held: pg.Client): void {
    client = held;
    held.once("end", () => lose(held));
    timer = setTimeout(beat, beatMs, held).unref();
  }

  async function beat(held: pg.Client): Promise<void> {
    try {
      await held.query("select 1");
      if (client === held) timer = setTimeout(beat, beatMs, held).unref();
    } catch {
      lose(held);
    }
  }

  function lose(held: pg.Client): void {
    if (client !== held || isOver) return;
    client = undefined;
    clearTimeout(timer);
    // A connection that only went silent may still have the lock: let go of it.
    held.end().catch(() => undefined);
    onEvent("lost");
    timer = setTimeout(retry, 0).unref();
  }

  async function retry(): Promise<void> {
    const again = await take().catch(() => undefined);
    if (isOver) {
      await again?.end();
    } else if (again) {
      keep(again);
      onEvent("back");
    } else {
      timer = setTimeout(retry, retryMs).unref();
    }
  }

  function end(event?: HoldEvent): void {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    if (event) onEvent(event);
  }

  const untilMs = Date.now() + patienceMs;
  let first = await take();
  while (!first && Date.now() < untilMs) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    first = await take();
  }
  if (!first) throw new DatabaseInUseError();
  keep(first);

  return {
    isHeld: () => client !== undefined && !isOver,
    async sign() {
      await client?.query("delete from holder");
      await client?.query("insert into holder (name) values ($1)", [me]);
      isSigned = true;
    },
    async release() {
      end();
      const held = client;
      client = undefined;
      await held?.end();
    },
  };
}

async function readSignature(client: pg.Client): Promise<string | undefined> {
  const { rows } = await client.query("select name from holder");
  return rows[0]?.name;
}
