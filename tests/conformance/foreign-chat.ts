import type { Major } from "./installed-clients.ts";

/** A part of a message, as the clients of all majors have it. */
export interface ForeignPart {
  readonly type: string;
  readonly text?: string;
  readonly state?: string;
  readonly toolCallId?: string;
  readonly toolName?: string;
  readonly input?: unknown;
  readonly output?: unknown;
  readonly errorText?: string;
  readonly url?: string;
  readonly title?: string;
  readonly sourceId?: string;
  readonly approval?: {
    readonly id: string;
    readonly approved?: boolean;
    readonly reason?: string;
  };
}

/** A message of such a client. */
export interface ForeignMessage {
  readonly id: string;
  readonly role: string;
  readonly parts: readonly ForeignPart[];
  readonly metadata?: unknown;
}

/** A call of a tool, as `onToolCall` gets it. */
export interface ForeignToolCall {
  readonly toolCallId: string;
  readonly toolName: string;
  readonly input: unknown;
  readonly dynamic?: boolean;
}

type ToolResult = { readonly tool: string; readonly toolCallId: string } & (
  | { readonly output: unknown }
  | { readonly state: "output-error"; readonly errorText: string }
);

/** What a test uses of `AbstractChat`. */
export interface ForeignChat {
  readonly status: string;
  readonly error: Error | undefined;
  readonly messages: readonly ForeignMessage[];
  sendMessage(message: { readonly text: string }): Promise<void>;
  regenerate(): Promise<void>;
  resumeStream(): Promise<void>;
  stop(): Promise<void>;
  addToolOutput(result: ToolResult): Promise<void>;
  /** From 6 on. */
  addToolApprovalResponse?(answer: {
    readonly id: string;
    readonly approved: boolean;
    readonly reason?: string;
  }): Promise<void>;
}

type Condition = (options: { readonly messages: readonly ForeignMessage[] }) => boolean;

/** What the folder of a major gives. */
interface ForeignPackage {
  readonly AbstractChat: new (options: object) => ForeignChat;
  readonly DefaultChatTransport: new (options: object) => object;
  readonly lastAssistantMessageIsCompleteWithToolCalls: Condition;
  readonly lastAssistantMessageIsCompleteWithApprovalResponses?: Condition;
}

/** What {@link openForeignChat} takes. */
export interface ForeignChatOptions {
  /** Where the server's chat is. */
  readonly api: string;
  readonly token: string;
  /** The thread, named by the client as these clients do. */
  readonly id: string;
  /** Goes into the body of every request beside what the client writes itself. */
  readonly body?: object;
  readonly messages?: readonly ForeignMessage[];
  /** What the page does with a call. */
  readonly onToolCall?: (call: ForeignToolCall, chat: ForeignChat) => void;
  /** @default globalThis.fetch */
  readonly fetch?: typeof fetch;
}

/** A chat with all that was seen of it. */
export interface WatchedChat {
  readonly chat: ForeignChat;
  /** Everything that was told, in order: `status <name>` or `data <type>`. */
  readonly seen: readonly string[];
  /** The `data-*` parts that `onData` got. */
  readonly data: readonly { readonly type: string; readonly data: unknown }[];
  /** The methods and bodies of all requests. */
  readonly requests: readonly {
    readonly method: string;
    readonly url: string;
    readonly body: string;
  }[];
  /** Resolves as soon as this holds. */
  until(holds: () => boolean): Promise<void>;
}

/** The whole text of a message. */
export function textOf(message: ForeignMessage | undefined): string {
  return (message?.parts ?? []).map(({ type, text }) => (type === "text" ? text : "")).join("");
}

/**
 * Opens a chat of a real client with its real transport. Only the store is ours: each framework
 * brings its own, and this one is the plainest that there can be.
 */
export async function openForeignChat(
  major: Major,
  { api, token, id, body = {}, messages = [], onToolCall, fetch: ask = fetch }: ForeignChatOptions,
): Promise<WatchedChat> {
  const sdk = (await import(`./ai-${major}/client.mjs`)) as ForeignPackage;
  const seen: string[] = [];
  const data: { type: string; data: unknown }[] = [];
  const requests: { method: string; url: string; body: string }[] = [];
  const waiting = new Set<() => void>();
  const changed = () => {
    for (const look of [...waiting]) look();
  };
  const complete = [
    sdk.lastAssistantMessageIsCompleteWithToolCalls,
    sdk.lastAssistantMessageIsCompleteWithApprovalResponses ?? (() => false),
  ];
  const chat: ForeignChat = new sdk.AbstractChat({
    id,
    state: createState({ messages, onStatus: (status) => seen.push(`status ${status}`), changed }),
    transport: new sdk.DefaultChatTransport({
      api,
      headers: () => ({ authorization: `Bearer ${token}` }),
      body,
      fetch: async (url: string, init: RequestInit = {}) => {
        requests.push({ method: init.method ?? "GET", url, body: String(init.body ?? "") });
        return ask(url, init);
      },
    }),
    onData(part: { readonly type: string; readonly data: unknown }) {
      seen.push(`data ${part.type}`);
      data.push(part);
    },
    onToolCall: ({ toolCall }: { readonly toolCall: ForeignToolCall }) =>
      onToolCall?.(toolCall, chat),
    sendAutomaticallyWhen: (options: { readonly messages: readonly ForeignMessage[] }) =>
      complete.some((isComplete) => isComplete(options)),
  });
  return {
    chat,
    seen,
    data,
    requests,
    until: (holds) =>
      new Promise((resolve) => {
        const look = () => {
          if (!holds()) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}

function createState({
  messages: first,
  onStatus,
  changed,
}: {
  readonly messages: readonly ForeignMessage[];
  readonly onStatus: (status: string) => void;
  readonly changed: () => void;
}): object {
  let status = "ready";
  let error: Error | undefined;
  let messages = [...first];
  return {
    get status() {
      return status;
    },
    set status(next) {
      status = next;
      onStatus(next);
      changed();
    },
    get error() {
      return error;
    },
    set error(next) {
      error = next;
    },
    get messages() {
      return messages;
    },
    set messages(next) {
      messages = next;
      changed();
    },
    pushMessage(message: ForeignMessage) {
      messages = [...messages, message];
      changed();
    },
    popMessage() {
      messages = messages.slice(0, -1);
      changed();
    },
    replaceMessage(at: number, message: ForeignMessage) {
      messages = messages.map((old, index) => (index === at ? structuredClone(message) : old));
      changed();
    },
    snapshot: <Thing>(thing: Thing): Thing => structuredClone(thing),
  };
}
