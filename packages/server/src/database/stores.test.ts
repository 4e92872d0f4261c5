import { describe } from "vitest";
import { runStoreContract } from "../agent/run-store.contract.ts";
import { threadStoreContract } from "../agent/thread-store.contract.ts";
import { apiKeyStoreContract } from "../api-keys/api-key-store.contract.ts";
import { auditStoreContract } from "../audit/audit-store.contract.ts";
import { cleanUpStoreContract } from "../clean-up/clean-up-store.contract.ts";
import { knowledgeStoreContract } from "../knowledge/knowledge-store.contract.ts";
import { peopleContract } from "../people/people.contract.ts";
import { setupLinkStoreContract } from "../people/setup-link-store.contract.ts";
import { projectStateStoreContract } from "../projects/project-state-store.contract.ts";
import { projectStoreContract } from "../projects/project-store.contract.ts";
import { revocationStoreContract } from "../sessions/revocation-store.contract.ts";
import { sessionStoreContract } from "../sessions/session-store.contract.ts";
import { usageStoreContract } from "../sessions/usage-store.contract.ts";
import { type TestDatabaseKind, testDatabases } from "./testing/test-databases.ts";

/** Every promise that a store makes, by store. */
const contracts: Readonly<Record<string, (kind: TestDatabaseKind) => void>> = {
  "api keys": apiKeyStoreContract,
  sessions: sessionStoreContract,
  "usage of sessions": usageStoreContract,
  revocations: revocationStoreContract,
  audit: auditStoreContract,
  projects: projectStoreContract,
  "states of projects": projectStateStoreContract,
  "set-up links": setupLinkStoreContract,
  threads: threadStoreContract,
  runs: runStoreContract,
  knowledge: knowledgeStoreContract,
  "clean-up": cleanUpStoreContract,
  people: peopleContract,
};

const kinds = await testDatabases();
for (const [name, contract] of Object.entries(contracts)) {
  describe(name, () => {
    for (const kind of kinds) {
      // A block of its own, so that its databases are made and removed around its tests.
      describe(kind.name, () => contract(kind));
    }
  });
}
