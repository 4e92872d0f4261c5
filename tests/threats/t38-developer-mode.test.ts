import { afterEach, expect, test } from "vitest";
import { createApiKey } from "../../packages/server/src/api-keys/api-key-format.ts";
import { ConfigError, readConfig } from "../../packages/server/src/config.ts";
import { openAttackedServer, problemOf } from "../support/attacked-server.ts";

/** T38: a switch for developers turns checks off. */
const kept = process.env.NODE_ENV;
afterEach(() => {
  process.env.NODE_ENV = kept;
  delete process.env.DEBUG;
});

test.each(["development", "test", "production", ""])(
  "with NODE_ENV=%s a wrong key, token or cookie is refused",
  async (mode) => {
    process.env.NODE_ENV = mode;
    process.env.DEBUG = "*";
    const server = await openAttackedServer();
    try {
      for (const key of [createApiKey().text, "test", "dev", ""]) {
        const answer = await server.send(`${server.base}/sessions/`, {
          method: "POST",
          headers: { "x-api-key": key },
        });
        expect(answer.status).toBe(401);
      }
      expect(await problemOf(server.as("dev", "/session/"))).toBe("401 invalid_token");
      expect(
        (await server.send("/admin/v1/me", { headers: { cookie: "valet.session_token=dev" } }))
          .status,
      ).toBe(401);
      const { session_token: good } = await server.mint();
      expect((await server.as(good, "/session/")).status).toBe(200);
    } finally {
      await server.close();
    }
  },
);

test("no variable exists that would turn a check off", () => {
  for (const name of [
    "VALET_DEV",
    "VALET_INSECURE",
    "VALET_AUTH",
    "VALET_DISABLE_AUTH",
    "VALET_SKIP_VERIFY",
    "VALET_BYPASS",
  ]) {
    expect(() => readConfig({ [name]: "true" })).toThrow(ConfigError);
  }
});
