#!/usr/bin/env node
// Lints the description of the API, as the built server gives it.
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { shared } from "../packages/server/dist/openapi/answers.js";
import { describeApi } from "../packages/server/dist/openapi/describe-api.js";
import { operations } from "../packages/server/dist/openapi/operations.js";

const config = await createConfig({
  extends: ["recommended-strict"],
  rules: {
    // The contract writes a slash at the end; both ways are served.
    "no-path-trailing-slash": "off",
    // What takes no credential and no body has nothing to refuse.
    "operation-4xx-response": "off",
    "operation-operationId-unique": "error",
    "operation-description": "off",
    "no-unused-components": "error",
  },
});
const source = JSON.stringify(describeApi({ operations, shared, version: "0.0.0" }));
const problems = await lintFromString({ source, absoluteRef: "/openapi.json", config });
for (const { ruleId, message, location } of problems) {
  console.log(`${ruleId}: ${message} (${location[0]?.pointer})`);
}
if (problems.length > 0) process.exit(1);
