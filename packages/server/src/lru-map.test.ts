import fc from "fast-check";
import { expect, test } from "vitest";
import { createLruMap } from "./lru-map.ts";

test("the half that was used last is there with its newest value, and never more than the whole", () => {
  const use = fc.record({ key: fc.nat(40).map(String), isSet: fc.boolean() });
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 20 }), fc.array(use, { maxLength: 300 }), (max, uses) => {
      const map = createLruMap<number>(max);
      const newest = new Map<string, number>();
      let recent: string[] = [];
      for (const [at, { key, isSet }] of uses.entries()) {
        if (isSet) {
          map.set(key, at);
          newest.set(key, at);
        }
        const found = map.get(key);
        if (found !== undefined) {
          expect(found).toBe(newest.get(key));
          recent = [key, ...recent.filter((other) => other !== key)];
        }
      }
      const kept = recent.slice(0, Math.floor(max / 2));
      expect(kept.map((key) => map.get(key))).toEqual(kept.map((key) => newest.get(key)));
    }),
  );
});

test("a map of any size holds what was just put there, and no more than it may", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 200 }), (max, count) => {
      const map = createLruMap<number>(max);
      for (let at = 0; at < count; at += 1) map.set(String(at), at);
      expect(map.get(String(count - 1))).toBe(count - 1);
      // Asking for the eldest first: nothing that is still asked for can be pushed out by it.
      const held = Array.from({ length: count }, (_, at) => map.get(String(at)) !== undefined);
      expect(held.filter(Boolean).length).toBeLessThanOrEqual(Math.max(2, max));
    }),
  );
});
