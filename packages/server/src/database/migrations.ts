import type { Migration } from "kysely";
import { firstTables } from "./migrations/0001-first-tables.ts";
import { feedback } from "./migrations/0002-feedback.ts";
import { blocks } from "./migrations/0003-blocks.ts";
import { operations } from "./migrations/0004-operations.ts";

/** Forward-only: a migration that has run anywhere is never edited, only followed by another. */
export const migrations: Readonly<Record<string, Migration>> = {
  "0001_first_tables": { up: firstTables },
  "0002_feedback": { up: feedback },
  "0003_blocks": { up: blocks },
  "0004_operations": { up: operations },
};
