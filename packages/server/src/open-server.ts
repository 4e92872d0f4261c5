import { fileURLToPath } from "node:url";
import type { Hono } from "hono";
import { type DestinationStream, pino } from "pino";
import { createAgent } from "./agent/agent.ts";
import type { AiSdkModel } from "./agent/models/ai-sdk-model.ts";
import { createExtractiveModel } from "./agent/models/extractive.ts";
import { createModels, type Models } from "./agent/models/registry.ts";
import { loadTools } from "./agent/operator-tools/load-tools.ts";
import type { ServerToolOptions } from "./agent/operator-tools/operator-tool.ts";
import { readTools } from "./agent/operator-tools/read-tools.ts";
import { agentRoutes } from "./agent/routes.ts";
import { createRuns } from "./agent/runs.ts";
import { createSearchTool } from "./agent/search-tool.ts";
import type { ServerTool } from "./agent/server-tool.ts";
import { createThreads } from "./agent/threads.ts";
import { createApiKeys } from "./api-keys/api-keys.ts";
import { cutEndedCallers } from "./api-keys/direct-caller.ts";
import { createApp } from "./app.ts";
import { createAuditAnchors } from "./audit/anchors.ts";
import { createAudit } from "./audit/audit.ts";
import { auditContext } from "./audit/audit-context.ts";
import { auditControlRoutes } from "./audit/control-routes.ts";
import { createTallies } from "./audit/tallies.ts";
import { backupRoutes } from "./backup/control-routes.ts";
import { type Chore, createCleanUp } from "./clean-up/clean-up.ts";
import type { Config } from "./config.ts";
import { createControlApp } from "./control/control-app.ts";
import { type DataFolder, openDataFolder } from "./data-folder/data-folder.ts";
import { loadSecrets } from "./data-folder/secrets.ts";
import { createSqlApiKeyStore } from "./database/api-key-store.ts";
import { createSqlAuditStore } from "./database/audit-store.ts";
import { createSqlCleanUpStore } from "./database/clean-up-store.ts";
import { openDatabase } from "./database/database.ts";
import { createSqlErasureStore } from "./database/erasure-store.ts";
import { createSqlKnowledgeStore } from "./database/knowledge-store.ts";
import { createSqlOwnerDataStore } from "./database/owner-data-store.ts";
import type { DatabaseInUseError } from "./database/postgres-hold.ts";
import { createSqlProjectStateStore } from "./database/project-state-store.ts";
import { createSqlProjectStore } from "./database/project-store.ts";
import { createSqlRemovalStore } from "./database/removal-store.ts";
import { createSqlRevocationStore } from "./database/revocation-store.ts";
import { createSqlRunStore } from "./database/run-store.ts";
import { createServing } from "./database/serving.ts";
import { createSqlSessionStore } from "./database/session-store.ts";
import { createSqlSetupLinkStore } from "./database/setup-link-store.ts";
import { createSqlTeamStore } from "./database/team-store.ts";
import { createSqlThreadStore } from "./database/thread-store.ts";
import { createSqlUsageStore } from "./database/usage-store.ts";
import { createOwnerErasure } from "./erasure/erase-owner.ts";
import { erasureRoutes } from "./erasure/routes.ts";
import type { AppEnv } from "./http/app-env.ts";
import { createClientAddress } from "./http/client-address.ts";
import type { QuickAnswer } from "./http/quick-answer.ts";
import { createKnowledge } from "./knowledge/knowledge.ts";
import { sourceRoutes } from "./knowledge/routes.ts";
import { createSearchThread } from "./knowledge/search-thread.ts";
import { createSourceAccess } from "./knowledge/source-access.ts";
import { createMemoryLimiter } from "./limits/limiter.ts";
import { createRateLimits } from "./limits/rate-limits.ts";
import { ownerExportRoutes } from "./owner-export/control-routes.ts";
import { createPeople } from "./people/people.ts";
import { createSetupLinks } from "./people/setup-links.ts";
import { signInChores } from "./people/sign-in-chores.ts";
import { longestSessionSeconds } from "./projects/project-settings.ts";
import { createProjectStates } from "./projects/project-states.ts";
import { createProjects } from "./projects/projects.ts";
import { retentionChores } from "./retention/retention.ts";
import { createOpenStreams } from "./sessions/open-streams.ts";
import { createPolicyInForce } from "./sessions/policy-in-force.ts";
import { createQuickOwnSession } from "./sessions/quick-own-session.ts";
import { admitSession } from "./sessions/require-session.ts";
import { createRevocations } from "./sessions/revocations.ts";
import { createSessionBudget } from "./sessions/session-budget.ts";
import { createSessionStanding } from "./sessions/session-standing.ts";
import { createSessionTokenFormat } from "./sessions/session-token-format.ts";
import { createSessions } from "./sessions/sessions.ts";
import { createTeams } from "./teams/teams.ts";
import { version } from "./version.ts";
import { isHttps, type ServerFacts } from "./web/server-routes.ts";
import { webRoutes } from "./web/web-routes.ts";

/** A server with its data folder open, not yet listening. */
export interface OpenServer {
  /** What the network sees. */
  readonly app: Hono<AppEnv>;
  /** Answers in the place of the app what comes over HTTP and can be answered at once. */
  readonly quickAnswer: QuickAnswer;
  /** What the `valet` command sees. */
  readonly control: Hono<AppEnv>;
  readonly folder: DataFolder;
  /** Resolves when another server has had the database, and this one must be closed. */
  readonly ended: Promise<DatabaseInUseError>;
  /** Ends what runs, closes the database and lets go of the folder. */
  close(): Promise<void>;
}

/** What an embedder brings, and what a test may put in the place of the real thing. */
export interface OpenServerOptions {
  /** The model that answers, in the place of `VALET_MODEL`. */
  readonly model?: AiSdkModel;
  /** Tools that run on the server, beside those of `VALET_SERVER_TOOLS`. */
  readonly serverTools?: readonly ServerToolOptions[];
  /** Where log lines go. @default standard error */
  readonly logTo?: DestinationStream;
  /** The current time, in milliseconds since the epoch. @default Date.now */
  readonly now?: () => number;
  /** Told of every statement that the database gets, without what is bound to it. */
  readonly onStatement?: (sql: string) => void;
}

const cleanEveryMs = 10 * 60_000;
const auditEveryMs = 60_000;
/** How late the stream of a key that asks for itself may end after the key did. */
const keyEndsEveryMs = 1_000;

/**
 * Opens a data folder and puts the parts of the server together: the one place that names
 * implementations.
 *
 * @throws `ServerToolsError` for tools that cannot be used, and an Error for a model that cannot be
 *   run, before anything is opened; `DataFolderInUseError` while another process has the folder.
 */
export async function openServer(
  config: Config,
  options: OpenServerOptions = {},
): Promise<OpenServer> {
  // Before anything is opened: what cannot be run is a mistake of whoever starts the server.
  const models = createModels({ config, embedded: createExtractiveModel(), model: options.model });
  const { serverTools = [] } = options;
  const loaded = config.serverTools === undefined ? [] : await loadTools(config.serverTools);
  const tools = readTools([...loaded, ...serverTools]);
  const folder = openDataFolder(config.dataDir);
  try {
    return await openParts(config, { folder, models, tools }, options);
  } catch (error) {
    folder.unlock();
    throw error;
  }
}

async function openParts(
  config: Config,
  {
    folder,
    models,
    tools,
  }: {
    readonly folder: DataFolder;
    readonly models: Models;
    readonly tools: readonly ServerTool[];
  },
  { logTo = process.stderr, now = Date.now, onStatement }: OpenServerOptions,
): Promise<OpenServer> {
  const log = pino({ level: config.logLevel, base: null, redact: redacted }, logTo);
  const secrets = loadSecrets(folder.path);
  const serving = createServing(log);
  const database = await openDatabase(config.databaseUrl ?? folder.databaseFile, {
    audit: {
      keys: secrets.audit,
      onBrokenSeal: (n) =>
        log.error({ part: "audit", n }, "the audit was changed: run `valet audit verify`"),
    },
    ...(onStatement && { onStatement }),
    hold: { onEvent: serving.observe },
  });
  const dashboardUrl = config.publicUrl ?? `http://localhost:${config.port}`;
  const dashboardOrigins = [
    new URL(dashboardUrl).origin,
    `http://localhost:${config.port}`,
    `http://127.0.0.1:${config.port}`,
  ];

  const auditStore = createSqlAuditStore(database);
  const audit = createAudit({ store: auditStore, now });
  const tallies = createTallies({ audit, now });
  const anchors = createAuditAnchors({ store: auditStore, log, now });
  const projects = createProjects({ store: createSqlProjectStore(database), now });
  const teams = createTeams({ store: createSqlTeamStore(database), projects, now });
  const setupLinks = createSetupLinks({ store: createSqlSetupLinkStore(database), now });
  const streams = createOpenStreams({
    endOf: (session) => (session.direct ? keys.refusal(session.kid) : sessions.endOf(session)),
  });
  const keys = await createApiKeys({
    store: createSqlApiKeyStore(database),
    secrets,
    now,
    maxSessionSeconds: longestSessionSeconds,
  });
  const revocations = await createRevocations({
    store: createSqlRevocationStore(database),
    streams,
    now,
    maxSessionSeconds: longestSessionSeconds,
  });
  const states = await createProjectStates({
    store: createSqlProjectStateStore(database),
    onOff: () => streams.cut((session) => states.isOff(session), "token_revoked"),
    now,
  });
  const limiter = createMemoryLimiter(now === Date.now ? {} : { monotonicMs: now });
  const limits = createRateLimits({ limiter, settingsOf: states.settings });
  const sessionStore = createSqlSessionStore(database);
  const sessions = await createSessions({
    store: sessionStore,
    format: createSessionTokenFormat({
      environment: secrets.environment,
      currentEpoch: secrets.currentEpoch,
      macKeys: secrets.tokenMac,
    }),
    streams,
    isKeyRevoked: keys.refusesSessions,
    revocations,
    states,
    now,
    ...(config.publicUrl !== undefined && { publicUrl: config.publicUrl }),
  });
  const people = await createPeople({
    database,
    secret: secrets.signIn,
    baseUrl: dashboardUrl,
    origins: dashboardOrigins,
    onError: (message) => log.error({ part: "sign-in" }, message),
  });
  await teams.adopt();

  const knowledgeStore = createSqlKnowledgeStore(database);
  const knowledge = createKnowledge({
    store: knowledgeStore,
    thread: createSearchThread({ file: folder.indexFile }),
    now,
    onError: (error) =>
      log.error({ err: error }, "the search index could not be brought up to date"),
  });
  const runs = createRuns({ streams, now, maxRunMs: config.runLimits.maxSeconds * 1_000 });
  const threadStore = createSqlThreadStore(database);
  const record = createSqlRunStore(database);
  const interrupted = await record.endInterrupted(now());
  if (interrupted > 0) log.warn({ runs: interrupted }, "Runs of a server that was cut off ended.");
  const threads = createThreads({ store: threadStore, runs, now, idKey: secrets.threadIds });
  const inForce = createPolicyInForce(states.settings);
  const budget = createSessionBudget({
    store: createSqlUsageStore(database),
    settingsOf: states.settings,
    now,
  });
  const agent = createAgent({
    models,
    tools: [createSearchTool(knowledge), ...tools],
    threads,
    store: threadStore,
    record,
    runs,
    budget,
    limits: config.runLimits,
    integrations: { exists: projects.hasIntegration, isOff: states.isIntegrationOff },
    now,
  });

  const removal = createSqlRemovalStore(database);
  const erasure = createOwnerErasure({
    projects,
    revocations,
    runs,
    removal,
    store: createSqlErasureStore(database),
    referenceKey: secrets.audit.reference,
    now,
  });

  const standing = createSessionStanding({ budget, limits, inForce });
  const facts: ServerFacts = { version, publicUrl: config.publicUrl };
  const app = createApp({
    log,
    erasure,
    isServing: serving.isServing,
    now,
    facts,
    dashboardOrigins,
    keys,
    sessions,
    revocations,
    streams,
    projects,
    teams,
    people,
    setupLinks,
    audit,
    auditStore,
    tallies,
    clientAddress: createClientAddress(config.trustedProxies),
    limiter,
    limits,
    states,
    inForce,
    standing,
    agent: agentRoutes({ agent, threads, streams, limits }),
    sources: sourceRoutes({
      knowledge,
      async readSession(c) {
        const session = await admitSession(c, { sessions, inForce, projectId: null });
        await limits.request(c);
        return session;
      },
      access: createSourceAccess({ secret: secrets.sourceCookie, now }),
      isSecure: dashboardUrl.startsWith("https:"),
      projectOfPerson: async (headers, documentId) => {
        const person = await people.whoIs(headers);
        return person && teams.projectOfDocument(person.id, documentId);
      },
    }),
    web: webRoutes(publicFolder),
  });
  const quickAnswer = createQuickOwnSession({
    sessions,
    standing,
    inForce,
    limiter,
    settingsOf: states.settings,
    isServing: serving.isServing,
    log,
    isHttps: isHttps(facts),
  });
  const control = createControlApp({
    trail: audit,
    log,
    more: [
      backupRoutes({
        place: config.databaseUrl ?? folder.databaseFile,
        dataDir: folder.path,
        audit,
        now,
      }),
      erasureRoutes({ erasure, actorOf: (c) => auditContext(c, "command") }),
      ownerExportRoutes({ projects, store: createSqlOwnerDataStore(database), audit, now }),
    ],
    now,
    keys,
    sessions,
    streams,
    projects,
    teams,
    people,
    setupLinks,
    knowledge,
    audit: auditControlRoutes({
      audit,
      store: auditStore,
      tallies,
      log,
      now,
      scopeOf: async (id) => ({ projectIds: [(await projects.get(id)).id], teamIds: [] }),
    }),
    states,
    dashboardUrl: () => dashboardUrl,
  });

  const cleanUpStore = createSqlCleanUpStore(database);
  const retention = retentionChores({
    removal,
    projects: async () => (await projects.list()).map(({ id }) => id),
    daysOf: (id) => states.settings(id).retention_days,
  });
  const inMemory: Chore = {
    name: "revocations in memory",
    step: async (nowMs) => revocations.forgetOver(nowMs) + sessions.forgetOver(nowMs),
  };
  const cleanUp = createCleanUp({
    store: {
      ...cleanUpStore,
      chores: [...cleanUpStore.chores, ...signInChores(database), ...retention, inMemory],
    },
    now,
  });
  const clean = () => {
    cleanUp.run().catch((error) => log.error({ err: error }, "clean-up failed"));
  };
  clean();
  const cleaning = setInterval(clean, cleanEveryMs).unref();
  const keepAudit = () => {
    const kept = tallies.flush().then(anchors.check);
    kept.catch((error) => log.error({ err: error, part: "audit" }, "the audit is behind"));
    return kept;
  };
  await anchors.check();
  const auditing = setInterval(keepAudit, auditEveryMs).unref();
  const watching = setInterval(() => {
    cutEndedCallers(keys, streams);
    void keys.flushUsage();
    // As long as the database is away there is nothing to learn; it is asked again a second later.
    keys.catchUp().catch(() => undefined);
  }, keyEndsEveryMs).unref();
  let closing: Promise<void> | undefined;
  return {
    app,
    quickAnswer,
    control,
    folder,
    ended: serving.ended,
    close() {
      closing ??= (async () => {
        clearInterval(cleaning);
        await cleanUp.close();
        clearInterval(auditing);
        clearInterval(watching);
        await agent.close();
        await keys.flushUsage(true);
        await knowledge.close();
        // Best effort: a database that is gone must not keep the server from ending.
        await keepAudit().then(anchors.write, () => undefined);
        await sessionStore.flush();
        await database.destroy();
        folder.unlock();
      })();
      return closing;
    },
  };
}

/** The dashboard and the SDK, as the build leaves them. */
const publicFolder = fileURLToPath(new URL("../public", import.meta.url));

/** What must never be written to a log, should an object that holds it ever be logged. */
const redacted: string[] = [
  "authorization",
  "*.authorization",
  "*.*.authorization",
  "cookie",
  "*.cookie",
  '["x-api-key"]',
  '*["x-api-key"]',
  '*.*["x-api-key"]',
  "*.apiKey",
  "*.session_token",
  "*.token",
  "*.password",
];
