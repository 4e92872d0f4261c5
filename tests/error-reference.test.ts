import { readFileSync } from "node:fs";
import { errorCodes } from "@valet/protocol";
import { expect, test } from "vitest";
import { errorReference } from "../scripts/error-reference.mjs";

test("the reference of errors says what the table says, code by code", () => {
  const page = readFileSync(new URL("../docs/reference/errors.md", import.meta.url), "utf8");
  expect(page).toBe(errorReference(errorCodes));
});
