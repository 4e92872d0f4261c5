/** What does not fit, and where: a JSON pointer. */
export interface SchemaFault {
  readonly at: string;
  readonly message: string;
}

type Schema = Readonly<Record<string, unknown>>;
type Json = Readonly<Record<string, unknown>>;
/** Tells of faults of a value by one or some keywords of a schema. */
type Check = (schema: Schema, value: unknown, at: string, place: Place) => SchemaFault[];

/** Where a check is: the whole schema, for references, and how deep. */
interface Place {
  readonly root: unknown;
  readonly depth: number;
}

/** Beyond it a schema refers to itself without an end, or a value was made to be costly. */
const maxDepth = 200;

/**
 * Checks a value by JSON Schema: the keywords of draft 7, and of 2020-12 those that say the same in
 * another word. Compiles nothing, so that it works under any content security policy. References
 * stay within the schema. `format` and unknown keywords say nothing about validity.
 *
 * @returns What does not fit; nothing when all of it does.
 * @throws TypeError for a schema that cannot be followed: a reference to nowhere, a broken pattern.
 */
export function findFaults(
  schema: unknown,
  value: unknown,
  at = "",
  { root, depth }: Place = { root: schema, depth: 0 },
): SchemaFault[] {
  if (schema === true || schema === undefined) return [];
  if (schema === false) return [fault(at, "is not allowed")];
  if (depth > maxDepth) throw new TypeError("The schema is nested too deeply.");
  const place = { root, depth: depth + 1 };
  const { $ref } = schema as Schema;
  if (typeof $ref === "string") return findFaults(resolve(root, $ref), value, at, place);
  return checks.flatMap((check) => check(schema as Schema, value, at, place));
}

const fits = (schema: unknown, value: unknown, at: string, place: Place): boolean =>
  findFaults(schema, value, at, place).length === 0;

const checkType: Check = ({ type, enum: values, const: only }, value, at) => {
  const types = (Array.isArray(type) ? type : [type]) as readonly string[];
  const faults: SchemaFault[] = [];
  if (type !== undefined && !types.some((one) => isOfType(value, one))) {
    faults.push(fault(at, `is not of type ${types.join(" or ")}`));
  }
  if (only !== undefined && !isSame(only, value)) {
    faults.push(fault(at, `is not ${JSON.stringify(only)}`));
  }
  if (Array.isArray(values) && !values.some((one) => isSame(one, value))) {
    faults.push(fault(at, `is none of ${JSON.stringify(values)}`));
  }
  return faults;
};

const checkNumber: Check = (schema, value, at) => {
  if (typeof value !== "number") return [];
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  return [
    ...unless(!(value < Number(minimum)), at, `is less than ${minimum}`),
    ...unless(!(value > Number(maximum)), at, `is more than ${maximum}`),
    ...unless(!(value <= Number(exclusiveMinimum)), at, `is not more than ${exclusiveMinimum}`),
    ...unless(!(value >= Number(exclusiveMaximum)), at, `is not less than ${exclusiveMaximum}`),
    ...unless(
      multipleOf === undefined || isMultiple(value, Number(multipleOf)),
      at,
      `is no multiple of ${multipleOf}`,
    ),
  ];
};

const checkString: Check = ({ minLength, maxLength, pattern }, value, at) => {
  if (typeof value !== "string") return [];
  const { length } = [...value];
  return [
    ...unless(!(length < Number(minLength)), at, `is shorter than ${minLength} characters`),
    ...unless(!(length > Number(maxLength)), at, `is longer than ${maxLength} characters`),
    ...unless(
      typeof pattern !== "string" || new RegExp(pattern, "u").test(value),
      at,
      `does not match ${pattern}`,
    ),
  ];
};

const checkArray: Check = (schema, value, at, place) => {
  if (!Array.isArray(value)) return [];
  const { minItems, maxItems, uniqueItems, contains, items, additionalItems, prefixItems } = schema;
  const first = (prefixItems ?? (Array.isArray(items) ? items : [])) as readonly unknown[];
  const rest = Array.isArray(items) ? additionalItems : items;
  return [
    ...unless(!(value.length < Number(minItems)), at, `has fewer than ${minItems} items`),
    ...unless(!(value.length > Number(maxItems)), at, `has more than ${maxItems} items`),
    ...unless(
      uniqueItems !== true ||
        value.every((one, index) => value.findIndex((other) => isSame(one, other)) === index),
      at,
      "has an item twice",
    ),
    ...unless(
      contains === undefined || value.some((one) => fits(contains, one, at, place)),
      at,
      "has no item of the kind that it must have",
    ),
    ...value.flatMap((one, index) =>
      findFaults(index < first.length ? first[index] : rest, one, `${at}/${index}`, place),
    ),
  ];
};

const checkObject: Check = (schema, value, at, place) => {
  if (!isObject(value)) return [];
  const { properties = {}, patternProperties = {}, additionalProperties, propertyNames } = schema;
  const { required = [], minProperties, maxProperties } = schema;
  const { dependentRequired = {}, dependencies = {} } = schema;
  const names = Object.keys(value);
  const patterns = Object.entries(patternProperties as Json).map(
    ([pattern, of]) => [new RegExp(pattern, "u"), of] as const,
  );
  const needed = Object.entries({ ...(dependencies as Json), ...(dependentRequired as Json) });
  return [
    ...(required as readonly string[]).flatMap((name) =>
      unless(Object.hasOwn(value, name), at, `lacks ${JSON.stringify(name)}`),
    ),
    ...unless(!(names.length < Number(minProperties)), at, `has fewer than ${minProperties} names`),
    ...unless(!(names.length > Number(maxProperties)), at, `has more than ${maxProperties} names`),
    ...names.flatMap((name) => {
      const below = `${at}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
      const isNamed = Object.hasOwn(properties as Json, name);
      const matching = patterns.filter(([pattern]) => pattern.test(name));
      const schemas = [
        ...(isNamed ? [(properties as Json)[name]] : []),
        ...matching.map(([, of]) => of),
        ...(isNamed || matching.length > 0 ? [] : [additionalProperties]),
      ];
      return [
        ...findFaults(propertyNames, name, below, place),
        ...schemas.flatMap((one) => findFaults(one, value[name], below, place)),
      ];
    }),
    ...needed.flatMap(([name, also]) => {
      if (!Object.hasOwn(value, name)) return [];
      if (!Array.isArray(also)) return findFaults(also, value, at, place);
      return also.flatMap((other: string) =>
        unless(Object.hasOwn(value, other), at, `lacks ${JSON.stringify(other)}`),
      );
    }),
  ];
};

const checkCombined: Check = (schema, value, at, place) => {
  const { allOf = [], anyOf, oneOf, not, if: condition } = schema;
  const count = (schemas: unknown): number =>
    (schemas as readonly unknown[]).filter((one) => fits(one, value, at, place)).length;
  const branch = condition === undefined ? undefined : fits(condition, value, at, place);
  return [
    ...(allOf as readonly unknown[]).flatMap((one) => findFaults(one, value, at, place)),
    ...unless(anyOf === undefined || count(anyOf) > 0, at, "fits none of the possible forms"),
    ...unless(oneOf === undefined || count(oneOf) === 1, at, "does not fit exactly one form"),
    ...unless(
      not === undefined || !fits(not, value, at, place),
      at,
      "is of a form that it may not be",
    ),
    ...(branch === undefined
      ? []
      : findFaults(branch ? schema.then : schema.else, value, at, place)),
  ];
};

const checks = [checkType, checkNumber, checkString, checkArray, checkObject, checkCombined];

function fault(at: string, message: string): SchemaFault {
  return { at, message };
}

function unless(isFit: boolean, at: string, message: string): SchemaFault[] {
  return isFit ? [] : [fault(at, message)];
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return isObject(value);
    case "integer":
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

/** Equal as JSON: the order of names says nothing. */
function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (Array.isArray(one)) {
    return (
      Array.isArray(other) &&
      one.length === other.length &&
      one.every((item, at) => isSame(item, other[at]))
    );
  }
  if (!isObject(one) || !isObject(other)) return false;
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && isSame(one[name], other[name]))
  );
}

/** Whether a number is one of another's multiples, as far as floating point can tell. */
function isMultiple(value: number, of: number): boolean {
  const times = value / of;
  return Math.abs(times - Math.round(times)) < 1e-9 * Math.max(1, Math.abs(times));
}

/** What a reference within the schema means. */
function resolve(root: unknown, reference: string): unknown {
  let found = root;
  const [base, pointer = ""] = reference.split("#");
  const steps = decodeURIComponent(pointer).split("/").slice(1);
  for (const step of steps) {
    const name = step.replaceAll("~1", "/").replaceAll("~0", "~");
    found = Object.hasOwn(Object(found) as object, name) ? (found as Json)[name] : undefined;
  }
  if (base === "" && found !== undefined && (steps.length > 0 || pointer === "")) return found;
  throw new TypeError(`The schema refers to ${reference}, which is not in it.`);
}
