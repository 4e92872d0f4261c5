import { defineConfig } from "vitest/config";

/** Tests run on source: the private condition `@valet/source` resolves every workspace to its `src`. */
const conditions = ["@valet/source"];

/** Files across packages that run on PostgreSQL as well. */
const onPostgres = ["seed", "bad-input", "admin-api", "foreign-clients", "answers", "postgres"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: "units",
          include: ["{packages,apps}/*/src/**/*.test.{ts,tsx}", "scripts/**/*.test.ts"],
          exclude: ["**/*.deep.test.ts", "**/node_modules/**"],
          testTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: {
          name: "across",
          include: ["tests/**/*.test.ts"],
          exclude: [
            "tests/threats/**",
            "tests/**/*.deep.test.ts",
            "tests/postgres.test.ts",
            "**/node_modules/**",
          ],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          // The whole server once more, over PostgreSQL: what says most in the least time.
          name: "postgres",
          include: onPostgres.map((name) => `tests/${name}.test.ts`),
          env: { VALET_TEST_ON: "PostgreSQL" },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: "threats",
          include: ["tests/threats/*.test.ts"],
          exclude: ["**/*.deep.test.ts", "**/node_modules/**"],
          // Each file opens servers of its own; the server's code is loaded once.
          isolate: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: "deep",
          include: ["{packages,tests}/**/*.deep.test.ts"],
          exclude: ["**/node_modules/**"],
          testTimeout: 600_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
