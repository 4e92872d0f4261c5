import { Validator } from "@cfworker/json-schema";
import fc from "fast-check";
import { expect, test } from "vitest";
import { findFaults } from "./json-schema.ts";

const scalar = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer({ min: -5, max: 5 }),
  fc.constantFrom(0.5, 2.5),
  fc.constantFrom("", "a", "ab", "abc", "b", "é", "👍", "a/b", "toString"),
);
const names = fc.constantFrom("a", "b", "ab", "toString", "__proto__x", "a/b", "~");
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    scalar,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(names, tie("value"), { maxKeys: 3 }),
  ),
}));

const small = fc.integer({ min: 0, max: 3 });
const types = fc.constantFrom("null", "boolean", "number", "integer", "string", "array", "object");
/** A few keywords at a time: a schema of all of them fits nothing. */
const { schema } = fc.letrec<{ schema: unknown; keyword: Record<string, unknown> }>((tie) => {
  const one = tie("schema");
  const named = fc.dictionary(names, one, { maxKeys: 2 });
  const list = fc.array(one, { minLength: 1, maxLength: 3 });
  const keyword = <Value>(name: string, of: fc.Arbitrary<Value>) =>
    of.map((given) => ({ [name]: given }));
  return {
    schema: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.boolean(),
      types.map((type) => ({ type })),
      fc.array(tie("keyword"), { maxLength: 3 }).map((given) => Object.assign({}, ...given)),
    ),
    keyword: fc.oneof(
      keyword("type", fc.oneof(types, fc.uniqueArray(types, { minLength: 1, maxLength: 3 }))),
      keyword("enum", fc.array(value, { minLength: 1, maxLength: 3 })),
      keyword("const", value),
      ...["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"].map((name) =>
        keyword(name, fc.integer({ min: -3, max: 3 })),
      ),
      keyword("multipleOf", fc.constantFrom(0.5, 2, 3)),
      ...["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"].map(
        (name) => keyword(name, small),
      ),
      keyword("pattern", fc.constantFrom("^a", "b$", "^.$", "\\p{L}")),
      keyword("uniqueItems", fc.boolean()),
      keyword("contains", one),
      keyword("items", fc.oneof(one, list)),
      keyword("prefixItems", list),
      keyword("required", fc.uniqueArray(names, { maxLength: 2 })),
      keyword("properties", named),
      keyword("patternProperties", fc.dictionary(fc.constantFrom("^a", "b$"), one, { maxKeys: 2 })),
      ...["additionalProperties", "propertyNames", "not"].map((name) => keyword(name, one)),
      keyword("dependentRequired", fc.dictionary(names, fc.uniqueArray(names, { maxLength: 2 }))),
      ...["allOf", "anyOf", "oneOf"].map((name) => keyword(name, list)),
      fc.tuple(one, one, one).map((given) => {
        const words = ["if", "then", "else"];
        return Object.fromEntries(words.map((word, at) => [word, given[at]]));
      }),
    ),
  };
});

/** Where the other checker is known to be wrong, or to read a later draft. */
function isDisputed(text: string): boolean {
  // It takes inherited names for given ones, and looks for `items` behind `prefixItems`.
  return /toString|__proto__/.test(text) || /"(?:prefixItems|items)":\[/.test(text);
}

test("a value fits a schema exactly when another checker says so", () => {
  fc.assert(
    fc.property(schema, value, (of, given) => {
      fc.pre(!isDisputed(JSON.stringify([of, given])));
      const other = new Validator(structuredClone(of) as object, "7", true).validate(given);
      expect(findFaults(of, given).length === 0).toBe(other.valid);
    }),
    { numRuns: 3_000, seed: 7 },
  );
});

test("no value and no schema of known keywords makes the check fail itself", () => {
  fc.assert(
    fc.property(schema, value, (of, given) => {
      for (const { at, message } of findFaults(of, given)) {
        expect([typeof at, message.length > 0]).toEqual(["string", true]);
      }
    }),
    { numRuns: 2_000, seed: 8 },
  );
});

test("tuples are read in both words, and names that objects inherit are not given", () => {
  const tuple = { prefixItems: [{ type: "string" }], items: { type: "number" } };
  const older = { items: [{ type: "string" }], additionalItems: { type: "number" } };
  for (const schemaOf of [tuple, older]) {
    expect(findFaults(schemaOf, ["a", 1, 2])).toEqual([]);
    expect(findFaults(schemaOf, ["a", 1, "b"])).toMatchObject([{ at: "/2" }]);
    expect(findFaults(schemaOf, [1])).toMatchObject([{ at: "/0" }]);
  }
  expect(findFaults({ required: ["toString"] }, {})).toHaveLength(1);
  expect(findFaults({ properties: {}, additionalProperties: false }, { toString: 1 })).toEqual([
    { at: "/toString", message: "is not allowed" },
  ]);
});

test("references stay within the schema, may go round, and must lead somewhere", () => {
  const tree = {
    $ref: "#/$defs/node",
    $defs: {
      node: {
        type: "object",
        properties: { next: { $ref: "#/$defs/node" }, "a/b~c": { $ref: "#/$defs/x~1y" } },
      },
      "x/y": { type: "null" },
    },
  };
  expect(findFaults(tree, { next: { next: { "a/b~c": null } } })).toEqual([]);
  expect(findFaults(tree, { next: { next: { "a/b~c": 1 } } })).toMatchObject([
    { at: "/next/next/a~1b~0c" },
  ]);
  expect(findFaults({ properties: { a: { $ref: "#" } } }, { a: { a: {} } })).toEqual([]);
  for (const $ref of ["#/$defs/no", "https://schemas.example/a.json", "#anchor"]) {
    expect(() => findFaults({ $ref }, 1)).toThrow("which is not in it");
  }
  expect(() => findFaults({ $ref: "#" }, 1)).toThrow("nested too deeply");
});
