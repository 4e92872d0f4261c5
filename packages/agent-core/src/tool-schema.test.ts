import { toStandardJsonSchema } from "@valibot/to-json-schema";
import { type } from "arktype";
import * as valibot from "valibot";
import { expect, expectTypeOf, test, vi } from "vitest";
import * as zod from "zod";
import * as zod3WithStandard from "zod/v3";
import * as zod3 from "zod-3";
import { checkArguments, declareTool } from "./tool-schema.ts";
import { type AnyTool, createToolHelper } from "./tools.ts";

interface Cart {
  readonly items: string[];
}

const tool = createToolHelper<Cart>();
const base = { name: "add", description: "Adds an item." };

/** The same arguments, in the words of each library: `id` is trimmed, `count` has a default. */
const tools = {
  "zod 4": tool({
    ...base,
    parameters: zod.object({
      id: zod.string().trim().min(2),
      count: zod.number().default(1),
      note: zod.string().optional(),
    }),
    execute(args, cart) {
      expectTypeOf(args).toEqualTypeOf<{ id: string; count: number; note?: string | undefined }>();
      expectTypeOf(cart).toEqualTypeOf<Cart>();
    },
    needsApproval(args) {
      expectTypeOf(args.count).toBeNumber();
      return args.count > 1;
    },
  }),
  "zod 3": tool({
    ...base,
    parameters: zod3.object({
      id: zod3.string().trim().min(2),
      count: zod3.number().default(1),
      note: zod3.string().optional(),
    }),
    execute(args) {
      expectTypeOf(args).toEqualTypeOf<{ id: string; count: number; note?: string | undefined }>();
    },
  }),
  "zod 3 with Standard Schema": tool({
    ...base,
    parameters: zod3WithStandard.object({
      id: zod3WithStandard.string().trim().min(2),
      count: zod3WithStandard.number().default(1),
      note: zod3WithStandard.string().optional(),
    }),
    execute(args) {
      expectTypeOf(args).toEqualTypeOf<{ id: string; count: number; note?: string | undefined }>();
    },
  }),
  arktype: tool({
    ...base,
    parameters: type({ id: "string >= 2", count: "number = 1", "note?": "string" }),
    execute(args) {
      expectTypeOf(args).toEqualTypeOf<{ id: string; count: number; note?: string }>();
    },
  }),
  valibot: tool({
    ...base,
    parameters: toStandardJsonSchema(
      valibot.object({
        id: valibot.pipe(valibot.string(), valibot.minLength(2)),
        count: valibot.optional(valibot.number(), 1),
        note: valibot.optional(valibot.string()),
      }),
    ),
    execute(args) {
      expectTypeOf(args).toEqualTypeOf<{ id: string; count: number; note?: string | undefined }>();
    },
  }),
};

test.each(Object.entries(tools))(
  "%s tells its JSON Schema and checks arguments",
  async (_, one) => {
    const { inputSchema } = await declareTool(one as AnyTool<never>);
    expect(inputSchema).toMatchObject({
      type: "object",
      properties: {
        id: { type: "string", minLength: 2 },
        count: { type: "number" },
        note: { type: "string" },
      },
      // What has a default need not be given.
      required: ["id"],
    });
    expect(await checkArguments(one as AnyTool<never>, { id: "ab" })).toEqual({
      id: "ab",
      count: 1,
    });
    await expect(checkArguments(one as AnyTool<never>, { id: "a" })).rejects.toThrow(
      /^The arguments do not fit: .*id/,
    );
    await expect(checkArguments(one as AnyTool<never>, "ab")).rejects.toThrow(TypeError);
  },
);

const raw = tool({
  ...base,
  parameters: {
    type: "object",
    properties: {
      id: { type: "string", minLength: 2 },
      kind: { enum: ["a", "b"] },
      tags: { type: "array", items: { type: ["string", "null"] } },
      at: { $ref: "#/$defs/point" },
      size: { type: "object", properties: { w: { type: "number" } }, required: ["w"] },
    },
    required: ["id", "size"],
    additionalProperties: false,
    $defs: { point: { type: "object", required: ["x"] } },
  },
  execute(args) {
    expectTypeOf(args.id).toEqualTypeOf<string>();
    expectTypeOf(args.kind).toEqualTypeOf<"a" | "b" | undefined>();
    expectTypeOf(args.tags).toEqualTypeOf<readonly (string | null)[] | undefined>();
    expectTypeOf(args.at).toEqualTypeOf<unknown>();
    expectTypeOf(args.size.w).toEqualTypeOf<number>();
  },
}) as AnyTool<never>;

test("JSON Schema goes to the server as it is, and is checked in the page", async () => {
  expect((await declareTool(raw)).inputSchema).toBe(raw.parameters);
  const good = { id: "ab", kind: "a", tags: ["x", null], at: { x: 1 }, size: { w: 1 } };
  expect(await checkArguments(raw, good)).toBe(good);
  for (const [wrong, where] of [
    [{ id: "a", size: { w: 1 } }, "/id"],
    [{ size: { w: 1 } }, "id"],
    [{ ...good, kind: "c" }, "/kind"],
    [{ ...good, tags: [1] }, "/tags/0"],
    [{ ...good, at: {} }, "/at"],
    [{ ...good, size: { w: "1" } }, "/size/w"],
    [{ ...good, more: 1 }, "more"],
    [null, "not of type object"],
  ] as const) {
    await expect(checkArguments(raw, wrong)).rejects.toThrow(where);
  }
});

test("a schema that the page has frozen is left as it is", async () => {
  const parameters = Object.freeze({ type: "object", properties: Object.freeze({}) });
  const frozen: AnyTool<never> = { ...base, parameters, execute: () => undefined };
  expect(await checkArguments(frozen, {})).toEqual({});
  await expect(checkArguments(frozen, 1)).rejects.toThrow("do not fit");
});

test("what is written elsewhere than in the call has loose types, and may be annotated", () => {
  const parameters = { type: "object", properties: { id: { type: "string" } }, required: ["id"] };
  tool({
    ...base,
    parameters,
    execute: async (args: { id: string }) => args.id,
  });
  tool({
    ...base,
    parameters: parameters as Record<string, unknown>,
    execute: (args) => expectTypeOf(args).toEqualTypeOf<Readonly<Record<string, unknown>>>(),
  });
  expect(parameters.type).toBe("object");
});

test("a validator that cannot tell its JSON Schema is a mistake that names the tool", async () => {
  const plain = valibot.object({ id: valibot.string() });
  const wrong: AnyTool<never> = { ...base, parameters: plain, execute: () => undefined };
  await expect(declareTool(wrong)).rejects.toThrow("the tool add do not give their JSON Schema");
});

test("zod 3 without its converter is a mistake that names what to install", async () => {
  vi.doMock("zod-to-json-schema", () => {
    throw new Error("Cannot find package");
  });
  try {
    const fresh = { ...base, parameters: zod3.object({}), execute: () => undefined };
    await expect(declareTool(fresh)).rejects.toThrow("Install zod-to-json-schema");
  } finally {
    vi.doUnmock("zod-to-json-schema");
  }
});

test("a rule about approval stays in the page; a plain answer goes to the server", async () => {
  const declared = async (needsApproval?: AnyTool<never>["needsApproval"]) =>
    declareTool({ ...raw, ...(needsApproval !== undefined && { needsApproval }) });
  expect(await declared(true)).toMatchObject({ needsApproval: true });
  expect(await declared(() => true)).not.toHaveProperty("needsApproval");
  expect(await declared()).not.toHaveProperty("needsApproval");
});
