import type { ApiDescription, JsonSchema } from "./describe-api.ts";

/** A field of a body as a table shows it. */
export interface FieldRow {
  /** `limits.turns`, `targets[].owner`. */
  readonly name: string;
  /** In words: `string`, `array of string`, `"up" or "down"`. */
  readonly type: string;
  readonly required: boolean;
  /** Bounds and meaning. */
  readonly text: string;
}

const deepest = 4;

/** The fields of a schema, those of nested objects with their whole name. */
export function fieldRows(description: ApiDescription, schema: JsonSchema): FieldRow[] {
  const rows: FieldRow[] = [];
  const seen = new Map<string, FieldRow>();

  function visit(found: JsonSchema, prefix: string, depth: number): void {
    if (depth > deepest) return;
    const resolved = resolve(description, found);
    for (const choice of choicesOf(resolved)) visit(choice, prefix, depth);
    if (resolved.items) visit(resolved.items as JsonSchema, `${prefix}[]`, depth);
    const required = new Set((resolved.required as string[] | undefined) ?? []);
    for (const [key, child] of Object.entries((resolved.properties ?? {}) as Fields)) {
      const name = prefix === "" ? key : `${prefix}.${key}`;
      const field = resolve(description, child);
      const row = {
        name,
        type: typeOf(description, child),
        required: required.has(key),
        text: textOf(child, field),
      };
      if (seen.has(name)) continue;
      seen.set(name, row);
      rows.push(row);
      visit(child, name, depth + 1);
    }
  }

  visit(schema, "", 0);
  return rows;
}

type Fields = Readonly<Record<string, JsonSchema>>;

/** Follows a `$ref` into the components. */
function resolve({ components }: ApiDescription, schema: JsonSchema): JsonSchema {
  const name = typeof schema.$ref === "string" ? schema.$ref.split("/").at(-1) : undefined;
  return name === undefined ? schema : (components.schemas[name] ?? {});
}

function choicesOf(schema: JsonSchema): JsonSchema[] {
  return [...((schema.anyOf ?? schema.oneOf ?? []) as JsonSchema[])];
}

function typeOf(description: ApiDescription, schema: JsonSchema): string {
  const resolved = resolve(description, schema);
  if (resolved.const !== undefined) return JSON.stringify(resolved.const);
  if (Array.isArray(resolved.enum))
    return resolved.enum.map((one) => JSON.stringify(one)).join(" or ");
  const choices = choicesOf(resolved).map((choice) => typeOf(description, choice));
  if (choices.length > 0) return [...new Set(choices)].join(" or ");
  if (resolved.type === "array") {
    return `array of ${typeOf(description, (resolved.items ?? {}) as JsonSchema)}`;
  }
  return typeof resolved.type === "string" ? resolved.type : "anything";
}

function textOf(written: JsonSchema, resolved: JsonSchema): string {
  const { minimum, maximum, minLength, maxLength, minItems, maxItems } = resolved;
  // The bounds of what a double can count say nothing to a reader.
  const isReal = (bound: unknown) => typeof bound === "number" && Math.abs(bound) < 2 ** 52;
  const bounds = [
    between(isReal(minimum) ? minimum : undefined, isReal(maximum) ? maximum : undefined, ""),
    between(minLength, maxLength, " characters"),
    between(minItems, maxItems, " items"),
  ];
  const said = written.description ?? resolved.description;
  return [typeof said === "string" ? said : "", ...bounds].filter(Boolean).join(" ");
}

function between(least: unknown, most: unknown, unit: string): string {
  if (least !== undefined && most !== undefined) return `${least} to ${most}${unit}.`;
  if (most !== undefined) return `At most ${most}${unit}.`;
  return least !== undefined ? `At least ${least}${unit}.` : "";
}
