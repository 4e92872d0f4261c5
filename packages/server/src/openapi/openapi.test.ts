import { errorCodes } from "@valet/protocol";
import { expect, test } from "vitest";
import { z } from "zod";
import { shared } from "./answers.ts";
import { describeApi } from "./describe-api.ts";
import { renderDocsPage } from "./docs-page.ts";
import { fieldRows } from "./field-rows.ts";
import type { Operation } from "./operation.ts";
import { operations } from "./operations.ts";
import { openApiRoutes } from "./routes.ts";

const description = describeApi({ operations, shared, version: "1.2.3" });

/** Every value of a key, at any depth. */
function valuesOf(key: string, value: unknown): unknown[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, child]) => [
    ...(name === key ? [child] : []),
    ...valuesOf(key, child),
  ]);
}

test("every reference leads to a schema that is there", () => {
  const references = valuesOf("$ref", description);
  expect(references.length).toBeGreaterThan(50);
  for (const reference of references) {
    const name = String(reference).replace("#/components/schemas/", "");
    expect(description.components.schemas).toHaveProperty([name]);
  }
});

test("operations have ids of their own, and a path has a method once", () => {
  const ids = operations.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const places = operations.map(({ method, path }) => `${method} ${path.replace(/\/$/, "")}`);
  expect(new Set(places).size).toBe(places.length);
});

test("a request is described by the schema that the route validates with", () => {
  const body = z.strictObject({
    name: z.string().min(1).max(9).describe("What to call it."),
    size: z.enum(["small", "large"]).optional(),
    parts: z.array(z.strictObject({ weight: z.int() })).max(3),
  });
  const operation: Operation = {
    method: "post",
    path: "/things/{id}/",
    id: "makeThing",
    tag: "Server",
    summary: "Make a thing",
    credentials: ["apiKey"],
    body: { schema: body },
    answers: { 201: { description: "It." } },
    errors: ["conflict"],
  };
  const made = describeApi({ operations: [operation], version: "1" });
  expect(fieldRows(made, made.components.schemas.MakeThingRequest ?? {})).toEqual([
    { name: "name", type: "string", required: true, text: "What to call it. 1 to 9 characters." },
    { name: "size", type: '"small" or "large"', required: false, text: "" },
    { name: "parts", type: "array of object", required: true, text: "At most 3 items." },
    { name: "parts[].weight", type: "integer", required: true, text: "" },
  ]);
  const { parameters, responses, security } = made.paths["/things/{id}/"]?.post ?? {};
  expect(parameters?.map(({ name, in: place }) => [name, place])).toEqual([["id", "path"]]);
  expect(security).toEqual([{ apiKey: [] }]);
  // Its own errors, those of its credential and those of its body, by status.
  expect(Object.keys(responses ?? {})).toEqual([
    "201",
    "400",
    "401",
    "403",
    "404",
    "409",
    "413",
    "415",
    "429",
  ]);
  expect(responses?.["409"]?.description).toContain(errorCodes.conflict.title);
});

test("the page has every operation, runs nothing and loads nothing", async () => {
  const app = openApiRoutes({ version: "1.2.3", publicUrl: "https://valet.example.com" });
  const answer = await app.request("/docs");
  const page = await answer.text();
  for (const { id, summary } of operations) {
    expect(page).toContain(`id="${id}"`);
    expect(page).toContain(summary.replaceAll("'", "&#39;"));
  }
  expect(page).not.toMatch(/<script|<link|<img|src=|url\(|javascript:/);
  expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'");
  const { servers } = (await (await app.request("/openapi.json")).json()) as typeof description;
  expect(servers).toEqual([{ url: "https://valet.example.com" }]);
});

test("a description's text is never HTML of the page", async () => {
  const made = describeApi({
    operations: [
      {
        method: "get",
        path: "/a",
        id: "a",
        tag: "Server",
        summary: "<b>bold</b>",
        credentials: [],
        query: { q: { description: "`<i>`", schema: z.string().optional() } },
        answers: { 200: { description: "It." } },
      },
    ],
    version: "1",
  });
  const page = String(await renderDocsPage(made));
  expect(page).not.toMatch(/<b>bold|<i>/);
  expect(page).toContain("&lt;b&gt;bold");
});
