import type { AuditRow } from "../database/schema.ts";
import type { AuditHead, AuditScope, AuditStore } from "./audit.ts";
import { chainStart, hashLine } from "./audit-chain.ts";
import { createLinesDigest, readReseal } from "./reseal.ts";

/** What is wrong with a chain. */
export type AuditFault =
  /** The fields of the line are not those that its hash was made of. */
  | "changed"
  /** The line is not the one that the next line, or the end of the chain, was written after. */
  | "replaced"
  /** The line is not there. */
  | "missing"
  /** The line stands beyond the end of the chain. */
  | "added"
  /** Every line fits, but the seal does not: the whole chain was written anew, or its end cut. */
  | "unsealed"
  /** The line is not the one that an anchor tells of. */
  | "not_anchored";

/** A fault and the line that it was found at. */
export interface AuditFaultAt {
  readonly n: number;
  readonly fault: AuditFault;
}

/** A fault that an operator has found, and resealed the chain behind it. */
export interface AuditBreak extends AuditFaultAt {
  /** The line that says so. */
  readonly resealedBy: number;
  readonly reason: string;
}

/** What a verification found. */
export type AuditVerdict =
  | {
      readonly ok: true;
      readonly first: number;
      readonly n: number;
      readonly hash: string;
      /** What was wrong and is known: it never goes away. Absent when there was nothing. */
      readonly breaks?: readonly AuditBreak[];
    }
  | ({ readonly ok: false } & AuditFaultAt);

/** A line of the log output: that this line had this hash. */
export interface AuditAnchor {
  readonly n: number;
  /** In hex. */
  readonly hash: string;
}

/** What {@link checkLines} is told beside the lines. */
export interface CheckLinesOptions {
  /** The number of the first line. @default 1 */
  readonly first?: number;
  /** Where the chain ends; without it, wherever the lines do. */
  readonly end?: { readonly n: number; readonly hash: Buffer } | undefined;
  readonly anchors?: readonly AuditAnchor[];
}

/**
 * Follows a chain line by line and gives the first one that is not as it was written. Memory does
 * not grow with the chain.
 *
 * A line that resealed the chain (`audit.resealed`) says what all lines before it were by then. As
 * long as they are the same, faults among them are told as `breaks`; what was changed since is a
 * fault like any other.
 */
export async function checkLines(
  lines: AsyncIterable<AuditRow>,
  { first = 1, end, anchors = [] }: CheckLinesOptions = {},
): Promise<AuditVerdict> {
  const anchored = new Map(anchors.map(({ n, hash }) => [n, hash.toLowerCase()]));
  const before = createLinesDigest();
  const breaks: AuditBreak[] = [];
  let last: { n: number; hash: Buffer } | undefined;
  let found: AuditFaultAt | undefined;
  let unanchored: AuditFaultAt | undefined;
  for await (const line of lines) {
    const n = last ? last.n + 1 : first;
    if (end && n > end.n) break;
    const reseal = readReseal(line, before.hex());
    if (reseal) {
      // What was found by then: the lines are the same, and among them are some from beyond the end.
      breaks.push({ ...reseal.found, resealedBy: line.n, reason: reseal.reason });
      found = undefined;
    } else {
      found ??= faultOf(line, n, last);
    }
    const anchor = anchored.get(line.n);
    // An anchor stands outside: nothing that the chain says of itself makes up for it.
    if (anchor !== undefined && anchor !== line.hash.toString("hex")) {
      unanchored ??= { n: line.n, fault: "not_anchored" };
    }
    anchored.delete(line.n);
    before.add(line);
    last = { n: line.n, hash: line.hash };
  }
  const n = last?.n ?? first - 1;
  const hash = last?.hash ?? chainStart;
  if (end && n < end.n) found ??= { n: n + 1, fault: "missing" };
  if (end && !hash.equals(end.hash)) found ??= { n: Math.max(n, 1), fault: "replaced" };
  const [unseen] = anchored.keys();
  if (unseen !== undefined && unseen > n) unanchored ??= { n: n + 1, fault: "missing" };
  const worst = found && unanchored && unanchored.n < found.n ? unanchored : (found ?? unanchored);
  if (worst) return { ok: false, ...worst };
  return {
    ok: true,
    first,
    n,
    hash: hash.toString("hex"),
    ...(breaks.length > 0 && { breaks }),
  };
}

/** What is wrong with a line that should be the one of a number, behind the last one. */
function faultOf(
  line: AuditRow,
  n: number,
  last: { readonly n: number; readonly hash: Buffer } | undefined,
): AuditFaultAt | undefined {
  const fault = (at: number, what: AuditFault): AuditFaultAt => ({ n: at, fault: what });
  if (line.n !== n) return fault(n, "missing");
  if (!hashLine(line.prev_hash, line).equals(line.hash)) return fault(n, "changed");
  const before = last?.hash ?? (n === 1 ? chainStart : line.prev_hash);
  if (!line.prev_hash.equals(before)) return fault(last ? last.n : n, "replaced");
  return undefined;
}

/** What {@link verifyAudit} is told beside the store. */
export interface VerifyAuditOptions {
  /** Lines of the log output that the chain has to fit. */
  readonly anchors?: readonly AuditAnchor[];
  /** Lines read at once: reading and hashing them is as long as requests wait. @default 100 */
  readonly pageSize?: number;
}

/**
 * Verifies the whole chain of a store, in pages, with other work in between. Lines that are added
 * meanwhile are not looked at.
 */
export async function verifyAudit(
  store: Pick<AuditStore, "after" | "head" | "ends">,
  { anchors = [], pageSize = 100 }: VerifyAuditOptions = {},
): Promise<AuditVerdict> {
  const head: AuditHead = await store.head();
  const verdict = await checkLines(allLines(store, head.n, { pageSize }), { end: head, anchors });
  if (!verdict.ok) return verdict;
  const { lastN, headN } = await store.ends();
  if (lastN > headN) return { ok: false, n: headN + 1, fault: "added" };
  return head.isSealed ? verdict : { ok: false, n: Math.max(head.n, 1), fault: "unsealed" };
}

/** The lines of a store up to one, page by page: all of them, or those of a scope. */
export async function* allLines(
  store: Pick<AuditStore, "after">,
  upToN: number,
  { pageSize = 100, scope }: { readonly pageSize?: number; readonly scope?: AuditScope } = {},
): AsyncGenerator<AuditRow> {
  let n = 0;
  while (n < upToN) {
    const page = await store.after(n, pageSize, scope);
    for (const row of page) {
      if (row.n > upToN) return;
      yield row;
    }
    const last = page.at(-1);
    if (!last) return;
    n = last.n;
    // SQLite answers at once: without this, a long chain would keep requests waiting.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A fault in a sentence, for people. */
export function describeFault({ n, fault }: { n: number; fault: AuditFault }): string {
  switch (fault) {
    case "changed":
      return `Line ${n} was changed: it is not what its hash was made of.`;
    case "replaced":
      return `Line ${n} was replaced: what follows was written after another line.`;
    case "missing":
      return `Line ${n} is missing: it was deleted, moved or cut off.`;
    case "added":
      return `Line ${n} was added by something else: the chain ends before it.`;
    case "unsealed":
      return `Every line fits, but the seal at line ${n} does not: the chain was written anew or its end was cut.`;
    case "not_anchored":
      return `Line ${n} is not the one that its anchor in the log tells of.`;
  }
}

/** A break that is known in sentences, for people. */
export function describeBreak({ resealedBy, reason, ...found }: AuditBreak): string {
  return `${describeFault(found)} Line ${resealedBy} says so and begins anew: ${reason}`;
}
