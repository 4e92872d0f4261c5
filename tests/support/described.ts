import type { Hono } from "hono";
import { expect } from "vitest";
import type { AppEnv } from "../../packages/server/src/http/app-env.ts";
import type { Operation } from "../../packages/server/src/openapi/operation.ts";
import { operations } from "../../packages/server/src/openapi/operations.ts";

const patterns = operations.map((operation) => ({
  operation,
  pattern: new RegExp(`^${bare(operation.path).replace(/\{\w+\}/g, "[^/]+")}$`),
}));

/** The operation that a request goes to; a path without parameters goes before one with. */
export function operationOf(method: string, path: string): Operation | undefined {
  const found = patterns.filter(
    ({ operation, pattern }) =>
      operation.method.toUpperCase() === method && pattern.test(bare(path)),
  );
  const count = ({ operation }: (typeof found)[number]) => operation.path.split("{").length;
  return found.sort((a, b) => count(a) - count(b))[0]?.operation;
}

/** Fails unless an answer is one that its operation describes. Reads a copy. */
export async function expectDescribed(request: Request, answer: Response): Promise<void> {
  const operation = operationOf(request.method, new URL(request.url).pathname);
  if (!operation || answer.status >= 400) return;
  const described = operation.answers[answer.status];
  const name = `${operation.id} ${answer.status}`;
  expect(described, `${name} is not described`).toBeDefined();
  if (!described?.schema) return;
  const body: unknown = await answer.clone().json();
  const parsed = described.schema.safeParse(body);
  expect(parsed.error?.issues ?? [], name).toEqual([]);
  // What the schema does not name, parsing leaves out.
  expect(parsed.data, `${name} says more than is described`).toEqual(body);
}

/** The methods and paths that an app has, as an operation writes them, without middleware. */
export function routesOf(app: Hono<AppEnv>): string[] {
  const found = app.routes
    .filter(({ method }) => method !== "ALL")
    .map(({ method, path }) => `${method} ${bare(path).replace(/:(\w+)/g, "{}")}`);
  return [...new Set(found)].sort();
}

/** The same of the operations. */
export function describedRoutes(): string[] {
  return operations
    .map(({ method, path }) => `${method.toUpperCase()} ${bare(path).replace(/\{\w+\}/g, "{}")}`)
    .sort();
}

function bare(path: string): string {
  return path.length > 1 ? path.replace(/\/$/, "") : path;
}
