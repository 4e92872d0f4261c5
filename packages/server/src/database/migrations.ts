import type { Migration } from "kysely";
import type { AuditKeys } from "../audit/audit-chain.ts";
import { firstTables } from "./migrations/0001-first-tables.ts";
import { feedback } from "./migrations/0002-feedback.ts";
import { blocks } from "./migrations/0003-blocks.ts";
import { operations } from "./migrations/0004-operations.ts";
import { auditChain } from "./migrations/0005-audit-chain.ts";
import { holder } from "./migrations/0008-holder.ts";
import { keyDescription } from "./migrations/0009-key-description.ts";
import { erasure } from "./migrations/0013-erasure.ts";
import { approvals } from "./migrations/0014-approvals.ts";
import { runs } from "./migrations/0015-runs.ts";

/**
 * Forward-only: a migration that has run anywhere is never edited, only followed by another.
 *
 * @param auditKeys Seal the chain that lines of the audit are put into.
 */
export function migrations(auditKeys: AuditKeys): Readonly<Record<string, Migration>> {
  return {
    "0001_first_tables": { up: firstTables },
    "0002_feedback": { up: feedback },
    "0003_blocks": { up: blocks },
    "0004_operations": { up: operations },
    "0005_audit_chain": { up: (db) => auditChain(db, auditKeys) },
    "0008_holder": { up: holder },
    "0009_key_description": { up: keyDescription },
    "0013_erasure": { up: erasure },
    "0014_approvals": { up: approvals },
    "0015_runs": { up: runs },
  };
}
