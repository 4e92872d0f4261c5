#!/usr/bin/env node
// Writes docs/reference/errors.md from the table in packages/protocol. A test compares
// the two.
import { writeFileSync } from "node:fs";
import { errorCodes } from "../packages/protocol/dist/index.js";
import { errorReference } from "./error-reference.mjs";

writeFileSync(new URL("../docs/reference/errors.md", import.meta.url), errorReference(errorCodes));
