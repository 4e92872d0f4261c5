import { newId } from "./new-id.ts";
import type { Timers } from "./session-tokens/types.ts";

/** The other pages of this origin that show conversations of the same project. */
export interface Tabs {
  /** Tells them that a run was begun here. */
  announceRun(threadId: string, runId: string): void;
  /** Tells them that a call is this page's from now on. */
  announceCall(threadId: string, toolCallId: string): void;
  /** Tells them that this page has no calls of the conversation any more. */
  announceLeave(threadId: string): void;
  /** Which calls of a conversation another page has: all that say so within a moment. */
  callsHeldElsewhere(threadId: string): Promise<HeldCalls>;
  close(): void;
}

/** Calls that a page has; `all` while it reads an answer that it asked for, whatever that calls. */
export type HeldCalls =
  | "all"
  | {
      /** Nobody else may run these. */
      readonly decided: readonly string[];
      /** Whoever decides about these first has them. */
      readonly undecided: readonly string[];
    };

/** What {@link openTabs} needs. */
export interface TabsOptions {
  readonly projectId: string;
  readonly timers: Timers;
  /** The calls of a conversation that this page has. */
  readonly callsHeldHere: (threadId: string) => HeldCalls;
  /** The conversation that this page shows. */
  readonly shownThread: () => string | undefined;
  readonly onRun: (threadId: string, runId: string) => void;
  readonly onCall: (threadId: string, toolCallId: string) => void;
  readonly onLeave: (threadId: string) => void;
}

/**
 * What pages tell each other: ids, never a token and never a word of a conversation. Whoever hears
 * of a run asks the server for it with a session of their own, so that a page learns nothing here
 * that it may not know.
 */
type News = { readonly from: string; readonly threadId: string } & (
  | { readonly type: "run"; readonly runId: string }
  | { readonly type: "call"; readonly toolCallId: string }
  | { readonly type: "leave" }
  | { readonly type: "who" }
  | { readonly type: "held"; readonly calls: HeldCalls }
);

/** How long other pages have to say which calls they have. They answer in a few milliseconds. */
const answerMs = 150;

/** Opens the channel to the other pages; one that says and hears nothing where there is none. */
export function openTabs({
  projectId,
  timers,
  callsHeldHere,
  shownThread,
  onRun,
  onCall,
  onLeave,
}: TabsOptions): Tabs {
  if (typeof BroadcastChannel === "undefined") return nobody;
  const channel = new BroadcastChannel(`valet ${projectId}`);
  // In Node.js an open channel keeps the process alive, for news that nobody may ever send.
  (channel as { unref?: () => void }).unref?.();
  const from = newId();
  const held = new Set<(news: Extract<News, { type: "held" }>) => void>();

  const say = (news: News): void => {
    // Nobody misses the news of a page that has closed.
    if (!isClosed) channel.postMessage(news);
  };
  let isClosed = false;

  channel.onmessage = ({ data }: { readonly data: unknown }) => {
    const news = readNews(data);
    if (!news || news.from === from) return;
    const { threadId } = news;
    if (news.type === "run") onRun(threadId, news.runId);
    if (news.type === "call") onCall(threadId, news.toolCallId);
    if (news.type === "leave") onLeave(threadId);
    if (news.type === "held") for (const hear of held) hear(news);
    if (news.type === "who") {
      say({ from, threadId, type: "held", calls: callsHeldHere(threadId) });
    }
  };

  const onHide = (): void => {
    const threadId = shownThread();
    if (threadId !== undefined) say({ from, threadId, type: "leave" });
  };
  const page = globalThis as Partial<typeof globalThis>;
  page.addEventListener?.("pagehide", onHide);

  return {
    announceRun: (threadId, runId) => say({ from, threadId, type: "run", runId }),
    announceCall: (threadId, toolCallId) => say({ from, threadId, type: "call", toolCallId }),
    announceLeave: (threadId) => say({ from, threadId, type: "leave" }),
    async callsHeldElsewhere(threadId) {
      const decided: string[] = [];
      const undecided: string[] = [];
      let areAll = false;
      const hear = (news: Extract<News, { type: "held" }>): void => {
        if (news.threadId !== threadId) return;
        if (news.calls === "all") {
          areAll = true;
          return;
        }
        decided.push(...news.calls.decided);
        undecided.push(...news.calls.undecided);
      };
      held.add(hear);
      say({ from, threadId, type: "who" });
      await new Promise<void>((resolve) => void timers.set(resolve, answerMs));
      held.delete(hear);
      return areAll ? "all" : { decided, undecided };
    },
    close() {
      page.removeEventListener?.("pagehide", onHide);
      isClosed = true;
      channel.close();
    },
  };
}

/** Where there is no other page, or none is to be heard of. */
export const nobody: Tabs = {
  announceRun: () => undefined,
  announceCall: () => undefined,
  announceLeave: () => undefined,
  callsHeldElsewhere: async () => ({ decided: [], undecided: [] }),
  close: () => undefined,
};

/** Other versions of this SDK, and other scripts of the origin, may say what they like. */
function readNews(data: unknown): News | undefined {
  const news = Object(data) as Record<string, unknown>;
  const isText = (value: unknown): boolean => typeof value === "string";
  if (![news.from, news.threadId, news.type].every(isText)) return undefined;
  if (news.type === "run" && !isText(news.runId)) return undefined;
  if (news.type === "call" && !isText(news.toolCallId)) return undefined;
  const { decided, undecided } = Object(news.calls) as Record<string, unknown>;
  const areIds = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
  const isHeld = news.calls === "all" || (areIds(decided) && areIds(undecided));
  if (news.type === "held" && !isHeld) return undefined;
  return news as News;
}
