import { afterAll, beforeAll, expect, test } from "vitest";
import { describedRoutes, routesOf } from "./support/described.ts";
import { openTestServer, type TestServer } from "./support/valet-server.ts";

let valet: TestServer;
beforeAll(async () => {
  valet = await openTestServer();
});
afterAll(() => valet.close());

/** Files: the dashboard's and the SDK's. */
const isFile = (route: string) => /^GET (?:\/\*|\*|\/favicon\.svg)$/.test(route);

test("every route of the server is described, and nothing is described that is not there", () => {
  expect(routesOf(valet.server.app).filter((route) => !isFile(route))).toEqual(describedRoutes());
});
