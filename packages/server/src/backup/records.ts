import { z } from "zod";

/** The format that this version writes. Later versions read it; it reads no later one. */
export const backupFormat = 1;

/** The first line of a backup: what it is of. */
export const backupStart = z.object({
  valet_backup: z.int(),
  valet_version: z.string(),
  made_at: z.iso.datetime(),
  database: z.enum(["sqlite", "postgres"]),
  /** The migrations that the database has seen, in their order. */
  migrations: z.array(z.string()),
  /** The content of `secrets.json`. */
  secrets: z.record(z.string(), z.unknown()),
  /** What the search index is made from. It is no part of a backup: it is made again. */
  index: z.object({
    made_from: z.array(z.string()),
    documents: z.int(),
    /** SHA-256 over `id content_hash` of every document, in the order of their ids; hex. */
    sha256: z.string(),
  }),
});

/** @see {@link backupStart} */
export type BackupStart = z.output<typeof backupStart>;

/**
 * The lines that follow: a table opens, its rows as arrays, and it closes with their count; `end`
 * is the last line.
 */
export const backupRecord = z.union([
  z.array(z.unknown()),
  z.strictObject({ table: z.string(), columns: z.array(z.string()) }),
  z.strictObject({
    rows: z.int(),
    /** The last number that the table's sequence has given; null for tables without one. */
    sequence: z.int().nullable(),
  }),
  z.strictObject({ end: z.literal(true), tables: z.int(), rows: z.int() }),
]);

/** A value as a line holds it: bytes and instants say what they are. */
export function encodeValue(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return { bytes: value.toString("base64") };
  if (value instanceof Date) return { instant: value.toISOString() };
  if (typeof value === "bigint") return { bigint: value.toString() };
  return value ?? null;
}

const encoded = z.union([
  z.strictObject({ bytes: z.base64() }).transform(({ bytes }) => Buffer.from(bytes, "base64")),
  z.strictObject({ instant: z.iso.datetime() }).transform(({ instant }) => new Date(instant)),
  z.strictObject({ bigint: z.string().regex(/^-?\d+$/) }).transform(({ bigint }) => BigInt(bigint)),
]);

/** What {@link encodeValue} was given. Throws for what it never makes. */
export function decodeValue(value: unknown): unknown {
  return typeof value === "object" && value !== null ? encoded.parse(value) : value;
}
