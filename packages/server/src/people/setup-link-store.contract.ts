import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { createSqlSetupLinkStore } from "../database/setup-link-store.ts";
import { useStorePlace } from "../database/testing/store-place.ts";
import type { TestDatabaseKind } from "../database/testing/test-databases.ts";

/** What every `SetupLinkStore` promises. */
export function setupLinkStoreContract(kind: TestDatabaseKind): void {
  const place = useStorePlace(kind);
  const store = () => createSqlSetupLinkStore(place.database);
  const insert = async (): Promise<Buffer> => {
    const digest = randomBytes(32);
    await store().insert({ digest, createdAtMs: 1_000, expiresAtMs: 2_000 });
    return digest;
  };

  test(`${kind.name}: of ten who use a code at the same time one wins, and a restart changes nothing`, async () => {
    const digest = await insert();
    const uses = Array.from({ length: 10 }, () => store().use(digest, 1_500));
    expect((await Promise.all(uses)).filter(Boolean)).toHaveLength(1);
    await place.reopen();
    expect(await store().use(digest, 1_500)).toBe(false);
  });

  test(`${kind.name}: a code is good up to its last millisecond, and one that nobody made never`, async () => {
    expect(await store().use(await insert(), 2_000)).toBe(false);
    expect(await store().use(await insert(), 1_999)).toBe(true);
    expect(await store().use(randomBytes(32), 1_500)).toBe(false);
  });

  test(`${kind.name}: a use that was taken back can be made once more`, async () => {
    const digest = await insert();
    expect(await store().use(digest, 1_500)).toBe(true);
    await store().release(digest);
    expect(await store().use(digest, 1_500)).toBe(true);
    expect(await store().use(digest, 1_500)).toBe(false);
  });
}
