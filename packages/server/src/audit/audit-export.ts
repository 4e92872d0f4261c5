import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { AuditRow } from "../database/schema.ts";
import { streamLines } from "../http/line-stream.ts";
import type { AuditScope, AuditStore } from "./audit.ts";
import { fromWireLine, toWireLine } from "./audit-wire.ts";
import { type AuditAnchor, type AuditVerdict, allLines, checkLines } from "./verify-audit.ts";

/** The first line of an export: which lines it has. */
interface ExportHeader {
  readonly valet_audit_export: 1;
  /** Whether it has every line. One with those of some projects alone cannot be verified. */
  readonly is_whole: boolean;
  /** Where the chain ended when the export began. */
  readonly end: { readonly n: number; readonly hash: string };
}

/**
 * The audit as lines of JSON, one act a line, oldest first, below a line that says what it is.
 * Written page by page: a long audit needs no more memory than a short one.
 *
 * @param scope Whose lines; all of them unless said.
 */
export function exportAudit(
  store: Pick<AuditStore, "after" | "head">,
  scope?: AuditScope,
): ReadableStream<Uint8Array> {
  async function* lines(): AsyncGenerator<unknown> {
    const head = await store.head();
    yield {
      valet_audit_export: 1,
      is_whole: scope === undefined,
      end: { n: head.n, hash: head.hash.toString("hex") },
    } satisfies ExportHeader;
    for await (const row of allLines(store, head.n, { ...(scope && { scope }) })) {
      yield toWireLine(row);
    }
  }
  return streamLines(lines());
}

/** The file is no export; `message` says where. */
export class AuditFileError extends Error {
  override readonly name = "AuditFileError";
}

/**
 * Verifies an export: the whole chain, or a part of it without gaps. It knows no key, so it sees
 * what was changed within the file; that the file as a whole was not made up, an anchor shows.
 *
 * @throws {@link AuditFileError}
 */
export async function verifyAuditFile(
  path: string,
  anchors: readonly AuditAnchor[] = [],
): Promise<AuditVerdict> {
  const lines = createInterface({
    input: createReadStream(path),
    crlfDelay: Number.POSITIVE_INFINITY,
  });
  const rows = readRows(lines);
  const start = await rows.next();
  if (start.done) return { ok: true, first: 1, n: 0, hash: "0".repeat(64) };
  const { header, row: firstRow } = start.value;
  if (header && !header.is_whole) {
    throw new AuditFileError(
      "This export has the lines of some projects alone: what is missing from it cannot be told. Verify one of `valet audit export`.",
    );
  }
  async function* all(): AsyncGenerator<AuditRow> {
    if (firstRow) yield firstRow;
    for await (const { row } of rows) if (row) yield row;
  }
  const end = header && { n: header.end.n, hash: Buffer.from(header.end.hash, "hex") };
  return checkLines(all(), { first: firstRow?.n ?? 1, anchors, ...(end && { end }) });
}

async function* readRows(
  lines: AsyncIterable<string>,
): AsyncGenerator<{ header?: ExportHeader; row?: AuditRow }> {
  let number = 0;
  for await (const line of lines) {
    number += 1;
    if (line.trim() === "") continue;
    let json: unknown;
    try {
      json = JSON.parse(line);
    } catch {
      throw new AuditFileError(`Line ${number} of the file is no JSON.`);
    }
    if (number === 1 && isHeader(json)) {
      yield { header: json };
      continue;
    }
    const row = fromWireLine(json);
    if (!row) throw new AuditFileError(`Line ${number} of the file is no line of an audit.`);
    yield { row };
  }
}

function isHeader(json: unknown): json is ExportHeader {
  return typeof json === "object" && json !== null && "valet_audit_export" in json;
}
