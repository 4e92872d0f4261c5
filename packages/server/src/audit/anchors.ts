import type { Logger } from "pino";
import type { AuditStore } from "./audit.ts";

/** Writes the end of the chain to the log, which the database's writer does not have. */
export interface AuditAnchors {
  /** Writes an anchor if the last one is long ago, by lines or by time. */
  check(): Promise<void>;
  /** Writes an anchor if there is something new to tell. */
  write(): Promise<void>;
}

/** What {@link createAuditAnchors} needs. */
export interface AuditAnchorsOptions {
  readonly store: Pick<AuditStore, "head">;
  readonly log: Pick<Logger, "info" | "error">;
  readonly now?: () => number;
  /** The most lines between two anchors, about. @default 1000 */
  readonly everyLines?: number;
  /** The longest time between two anchors, about. @default a day */
  readonly everyMs?: number;
}

/** Creates the anchors of an audit. */
export function createAuditAnchors({
  store,
  log,
  now = Date.now,
  everyLines = 1000,
  everyMs = 86_400_000,
}: AuditAnchorsOptions): AuditAnchors {
  let last: { readonly n: number; readonly atMs: number } | undefined;

  async function anchor(isDue: (n: number) => boolean): Promise<void> {
    const { n, hash, isSealed, brokenAtMs } = await store.head();
    if (!isDue(n)) return;
    last = { n, atMs: now() };
    const facts = { part: "audit", anchor: `${n}:${hash.toString("hex")}` };
    if (isSealed) log.info(facts, "the audit ends here");
    else log.error({ ...facts, brokenAtMs }, "the audit was changed: run `valet audit verify`");
  }

  return {
    check: () => anchor((n) => !last || n - last.n >= everyLines || now() - last.atMs >= everyMs),
    write: () => anchor((n) => last?.n !== n),
  };
}
