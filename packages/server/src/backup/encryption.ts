import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  randomBytes as nodeRandomBytes,
  scrypt,
  timingSafeEqual,
} from "node:crypto";
import { z } from "zod";
import { BackupError } from "./backup-error.ts";

/** How much work one guess of the passphrase takes: scrypt's parameters. */
export interface KeyCost {
  /** A power of two; memory is 128 · N · r bytes. */
  readonly n: number;
  readonly r: number;
  readonly p: number;
}

/** 128 MiB and a third of a second for each guess. */
export const defaultKeyCost: KeyCost = { n: 2 ** 17, r: 8, p: 1 };

const magic = Buffer.from("VALETBK1");
const chunkBytes = 64 * 1024;
const tagBytes = 16;
const noncePrefixBytes = 7;
const maxHeaderBytes = 4096;

const fileHeader = z.strictObject({
  kdf: z.literal("scrypt"),
  // Bounds: a header is read before it is proved, and must not be able to take all memory.
  n: z
    .int()
    .min(2)
    .max(2 ** 20)
    .refine((n) => (n & (n - 1)) === 0),
  r: z.int().min(1).max(16),
  p: z.int().min(1).max(4),
  salt: z.base64(),
  cipher: z.literal("aes-256-gcm"),
  chunk_bytes: z.literal(chunkBytes),
  nonce_prefix: z.base64(),
});

/**
 * Encrypts bytes under a passphrase: a header with the parameters, its MAC, and the bytes in chunks
 * of 64 KiB by the STREAM construction. Each chunk's nonce is a prefix, the chunk's number and
 * whether it is the last, so none can be left out, moved, repeated or cut off unnoticed.
 *
 * @see https://eprint.iacr.org/2015/189 Hoang, Reyhanitabar, Rogaway, Vizár: STREAM
 */
export async function* encrypt(
  source: AsyncIterable<Buffer>,
  {
    passphrase,
    cost = defaultKeyCost,
    random = nodeRandomBytes,
  }: {
    readonly passphrase: string;
    readonly cost?: KeyCost;
    readonly random?: (bytes: number) => Buffer;
  },
): AsyncGenerator<Buffer> {
  const salt = random(16);
  const prefix = random(noncePrefixBytes);
  const header = Buffer.from(
    JSON.stringify({
      kdf: "scrypt",
      ...cost,
      salt: salt.toString("base64"),
      cipher: "aes-256-gcm",
      chunk_bytes: chunkBytes,
      nonce_prefix: prefix.toString("base64"),
    } satisfies z.input<typeof fileHeader>),
  );
  const keys = await deriveKeys(passphrase, salt, cost);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(header.length);
  const opening = Buffer.concat([magic, length, header]);
  yield Buffer.concat([opening, macOf(keys.mac, opening)]);

  let counter = 0;
  const seal = (plain: Buffer, isLast: boolean): Buffer => {
    const cipher = createCipheriv("aes-256-gcm", keys.cipher, nonceOf(prefix, counter, isLast));
    counter += 1;
    return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  };
  const chunks = createRechunker();
  for await (const piece of source) {
    chunks.push(piece);
    // The last chunk is known only at the end, so a full one waits for what follows it.
    while (chunks.length > chunkBytes) yield seal(chunks.take(chunkBytes), false);
  }
  yield seal(chunks.take(chunks.length), true);
}

/**
 * The bytes that {@link encrypt} was given. A chunk is proved before any of it is given; that the
 * file is whole is known only when the generator ends.
 *
 * @throws {@link BackupError} `not_a_backup`, `wrong_passphrase`, `damaged` or `truncated`.
 */
export async function* decrypt(
  source: AsyncIterable<Buffer>,
  passphrase: string,
): AsyncGenerator<Buffer> {
  const pieces = source[Symbol.asyncIterator]();
  const chunks = createRechunker();
  const fill = async (bytes: number): Promise<boolean> => {
    while (chunks.length < bytes) {
      const next = await pieces.next();
      if (next.done) return false;
      chunks.push(next.value);
    }
    return true;
  };
  try {
    const { keys, prefix } = await readOpening(fill, chunks.take, passphrase);
    for (let counter = 0; ; counter += 1) {
      // One byte more than a chunk tells whether another one follows.
      const isLast = !(await fill(chunkBytes + tagBytes + 1));
      const sealed = chunks.take(Math.min(chunks.length, chunkBytes + tagBytes));
      const plain = open(keys.cipher, nonceOf(prefix, counter, isLast), sealed);
      if (!plain) {
        const wouldGoOn = isLast && open(keys.cipher, nonceOf(prefix, counter, false), sealed);
        if (wouldGoOn || sealed.length < tagBytes) throw truncated();
        throw new BackupError(
          "damaged",
          `The backup is damaged: its chunk ${counter} is not what was written.${isLast ? " It may have been cut off there." : ""}`,
        );
      }
      if (plain.length > 0) yield plain;
      if (isLast) return;
    }
  } finally {
    await pieces.return?.();
  }
}

async function readOpening(
  fill: (bytes: number) => Promise<boolean>,
  take: (bytes: number) => Buffer,
  passphrase: string,
): Promise<{ keys: Keys; prefix: Buffer }> {
  if (!(await fill(magic.length + 4))) throw notABackup();
  const start = take(magic.length + 4);
  if (!start.subarray(0, magic.length).equals(magic)) throw notABackup();
  const length = start.readUInt32BE(magic.length);
  if (length > maxHeaderBytes) throw notABackup();
  if (!(await fill(length + 32))) throw truncated();
  const headerBytes = take(length);
  const mac = take(32);
  let header: z.output<typeof fileHeader>;
  try {
    header = fileHeader.parse(JSON.parse(headerBytes.toString("utf8")));
  } catch {
    throw new BackupError(
      "damaged",
      "The backup's header cannot be read: it is damaged, or of a later version of Valet.",
    );
  }
  const keys = await deriveKeys(passphrase, Buffer.from(header.salt, "base64"), header);
  if (!timingSafeEqual(macOf(keys.mac, Buffer.concat([start, headerBytes])), mac)) {
    throw new BackupError(
      "wrong_passphrase",
      "The passphrase is not the one of this backup, or the backup's header is damaged.",
    );
  }
  return { keys, prefix: Buffer.from(header.nonce_prefix, "base64") };
}

interface Keys {
  readonly cipher: Buffer;
  readonly mac: Buffer;
}

function deriveKeys(passphrase: string, salt: Buffer, { n, r, p }: KeyCost): Promise<Keys> {
  return new Promise((resolve, reject) => {
    const options = { N: n, r, p, maxmem: 256 * n * r + 2 ** 20 };
    // The same passphrase typed on another keyboard may come as other code points.
    scrypt(passphrase.normalize("NFKC"), salt, 64, options, (error, key) => {
      if (error) reject(error);
      else resolve({ cipher: key.subarray(0, 32), mac: key.subarray(32) });
    });
  });
}

function macOf(key: Buffer, opening: Buffer): Buffer {
  return createHmac("sha256", key).update(opening).digest();
}

function nonceOf(prefix: Buffer, counter: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  prefix.copy(nonce);
  nonce.writeUInt32BE(counter, noncePrefixBytes);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

function open(key: Buffer, nonce: Buffer, sealed: Buffer): Buffer | undefined {
  if (sealed.length < tagBytes) return undefined;
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes });
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
  const plain = decipher.update(sealed.subarray(0, sealed.length - tagBytes));
  try {
    return Buffer.concat([plain, decipher.final()]);
  } catch {
    return undefined;
  }
}

/** Bytes that come in pieces of any size and are taken in pieces of another. */
function createRechunker() {
  let pieces: Buffer[] = [];
  let length = 0;
  return {
    get length() {
      return length;
    },
    push(piece: Buffer) {
      pieces.push(piece);
      length += piece.length;
    },
    take(bytes: number): Buffer {
      const all = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, length);
      pieces = all.length > bytes ? [all.subarray(bytes)] : [];
      length = all.length - bytes;
      return all.subarray(0, bytes);
    },
  };
}

const notABackup = () => new BackupError("not_a_backup", "This file is not a backup of Valet.");
const truncated = () => new BackupError("truncated", "The backup ends too early: it was cut off.");
