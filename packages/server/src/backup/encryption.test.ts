import fc from "fast-check";
import { expect, test } from "vitest";
import { BackupError } from "./backup-error.ts";
import { decrypt, encrypt } from "./encryption.ts";

/** Little work for each guess: these tests do not guess. */
const cost = { n: 2, r: 1, p: 1 };
const passphrase = "correct horse battery";
const chunk = 64 * 1024;

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function collect(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of source) pieces.push(piece);
  return Buffer.concat(pieces);
}

const seal = (bytes: Buffer, size = 10_000) =>
  collect(encrypt(inPieces(bytes, size), { passphrase, cost }));
const unseal = (bytes: Buffer, size = 10_000, phrase = passphrase) =>
  collect(decrypt(inPieces(bytes, size), phrase));
const codeOf = async (result: Promise<unknown>) => {
  const error = await result.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(BackupError);
  return (error as BackupError).code;
};

test("what was encrypted comes back, whatever its length and the pieces it comes in", async () => {
  const near = fc.oneof(
    fc.integer({ min: 0, max: 300 }),
    fc.integer({ min: chunk - 2, max: chunk + 2 }),
    fc.integer({ min: 2 * chunk - 1, max: 2 * chunk + 1 }),
  );
  const size = fc.integer({ min: 1, max: 200_000 });
  await fc.assert(
    fc.asyncProperty(near, size, fc.integer({ min: 100, max: 200_000 }), async (length, a, b) => {
      const bytes = Buffer.alloc(length, "valet");
      expect((await unseal(await seal(bytes, a), b)).equals(bytes)).toBe(true);
    }),
    { numRuns: 40 },
  );
});

test("one flipped bit anywhere is noticed", async () => {
  const sealed = await seal(Buffer.alloc(1000, 7));
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: sealed.length * 8 - 1 }), async (bit) => {
      const changed = Buffer.from(sealed);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await expect(unseal(changed)).rejects.toBeInstanceOf(BackupError);
    }),
    { numRuns: 300 },
  );
});

test("a file cut off at any byte is noticed, and between chunks it is called truncated", async () => {
  const plain = Buffer.alloc(3 * chunk, 1);
  const sealed = await seal(plain);
  const body = 3 * (chunk + 16);
  const header = sealed.length - body;
  expect(await codeOf(unseal(sealed.subarray(0, header)))).toBe("truncated");
  expect(await codeOf(unseal(sealed.subarray(0, header + chunk + 16)))).toBe("truncated");
  expect(await codeOf(unseal(sealed.subarray(0, header + 2 * (chunk + 16))))).toBe("truncated");
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: sealed.length - 1 }), async (length) => {
      await expect(unseal(sealed.subarray(0, length))).rejects.toBeInstanceOf(BackupError);
    }),
    { numRuns: 50 },
  );
});

test("chunks put in another order, repeated or followed by more are noticed", async () => {
  const sealed = await seal(Buffer.alloc(3 * chunk, 1));
  const header = sealed.length - 3 * (chunk + 16);
  const at = (number: number) =>
    sealed.subarray(header + number * (chunk + 16), header + (number + 1) * (chunk + 16));
  const file = (...parts: Buffer[]) => Buffer.concat([sealed.subarray(0, header), ...parts]);
  expect((await unseal(file(at(0), at(1), at(2)))).length).toBe(3 * chunk);
  expect(await codeOf(unseal(file(at(1), at(0), at(2))))).toBe("damaged");
  expect(await codeOf(unseal(file(at(0), at(0), at(1), at(2))))).toBe("damaged");
  expect(await codeOf(unseal(file(at(0), at(2))))).toBe("damaged");
  expect(await codeOf(unseal(file(at(0), at(1), at(2), Buffer.from("more"))))).toBe("damaged");
});

test("another passphrase and another file are told apart, and neither gives a byte", async () => {
  const sealed = await seal(Buffer.from("text"));
  expect(await codeOf(unseal(sealed, 1000, "another passphrase"))).toBe("wrong_passphrase");
  expect(await codeOf(unseal(Buffer.from("PK\u0003\u0004 something else altogether")))).toBe(
    "not_a_backup",
  );
});

test("the same bytes under the same passphrase are another file each time", async () => {
  const bytes = Buffer.from("text");
  expect((await seal(bytes)).equals(await seal(bytes))).toBe(false);
});
