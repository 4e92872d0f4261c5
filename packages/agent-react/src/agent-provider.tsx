"use client";
import { Agent, type AgentOptions, type EndUserInfo, type OnAgentEvent } from "@valet/agent-core";
import { type ReactNode, useMemo, useRef, useState } from "react";
import {
  AgentContext,
  type AgentContextValue,
  type AgentTool,
  type BuiltinToolMeta,
  InputContext,
} from "./agent-context.ts";
import { type AgentColorScheme, type AgentThemeConfig, resolveTheme } from "./theme.ts";
import { type AgentTranslation, createLabels, english } from "./translation.ts";
import { warnOfUnknownProps } from "./unknown-props.ts";
import { useEarlyEffect } from "./use-early-effect.ts";

/** Props of {@link AgentProvider}. */
export interface AgentProviderProps<Context = unknown> {
  /** Asks your own server for a session token. Not called before the first message. */
  readonly getSessionToken: AgentOptions["getSessionToken"];
  readonly projectId: string;
  readonly integrationId: string;
  /** A model of the server, by its public name. @default the server's own choice */
  readonly model?: string;
  /** Tools that run in the page. @default none */
  readonly tools?: readonly AgentTool<Context>[];
  /** Handed to every tool. @default {} */
  readonly context?: Context;
  /** How the server's own tools are shown, by name. */
  readonly builtinToolMeta?: Readonly<Record<string, BuiltinToolMeta>>;
  /** Added to the system prompt. People can read it. */
  readonly customInstructions?: string;
  /** Who the page says is asking. */
  readonly user?: EndUserInfo;
  readonly onEvent?: OnAgentEvent;
  readonly theme?: AgentThemeConfig;
  /** Restricts what is searched. @default everything */
  readonly sourceGroupIdsInclude?: readonly string[];
  /** Whether past conversations can be listed and resumed. @default false */
  readonly enableHistory?: boolean;
  /** Whether tabs that show the same conversation show it live in all of them. @default true */
  readonly shareTabs?: boolean;
  /** The Valet server's address. @default what the session reply says */
  readonly baseUrl?: string;
  /** Who is signed in to your app. A change ends session and conversation. */
  readonly userKey?: string;
  /** Language of the page, BCP 47; told to the model. @default the translation's, where one is given */
  readonly locale?: string;
  /** Language of the components. @default English */
  readonly translation?: AgentTranslation;
  readonly children?: ReactNode;
}

/**
 * Holds one conversation for everything below it. Mount it high and keep it mounted: taking it
 * away ends the conversation, and so does hiding it in an `<Activity>`; taking the components below
 * it away does not.
 */
export function AgentProvider<Context = unknown>(props: AgentProviderProps<Context>): ReactNode {
  const { children, theme: themeConfig, tools, builtinToolMeta = noMeta, userKey } = props;
  const { translation = english } = props;
  warnOfUnknownProps("AgentProvider", props, providerProps);
  const latest = useRef(props);
  const agent = useAgent(latest, props);
  const [scheme, setColorScheme] = useState<AgentColorScheme>();
  const [inputValue, setInputValue] = useState("");

  const { accentColor, colorScheme, fontFamily, fontSize, radius } = themeConfig ?? {};
  const theme = useMemo(
    () =>
      resolveTheme({
        ...(accentColor !== undefined && { accentColor }),
        ...(colorScheme !== undefined && { colorScheme }),
        ...(fontFamily !== undefined && { fontFamily }),
        ...(fontSize !== undefined && { fontSize }),
        ...(radius !== undefined && { radius }),
      }),
    [accentColor, colorScheme, fontFamily, fontSize, radius],
  );

  const labels = useMemo(() => createLabels(translation), [translation]);

  const lastUserKey = useRef(userKey);
  // Before anything is painted, and before what loads in an effect below asks as the new person.
  useEarlyEffect(() => {
    if (lastUserKey.current === userKey) return;
    lastUserKey.current = userKey;
    agent.clearSession();
    setInputValue("");
  }, [agent, userKey]);

  const value = useMemo<AgentContextValue>(
    () => ({
      agent: agent as Agent<never>,
      userKey,
      labels,
      locale: translation.locale,
      dir: translation.dir,
      theme,
      colorScheme: scheme ?? theme.colorScheme,
      setColorScheme,
      enableHistory: props.enableHistory ?? false,
      toolsByName: new Map((tools ?? []).map((tool) => [tool.name, tool as AgentTool<never>])),
      builtinToolMeta,
      emit: (event) => {
        try {
          latest.current.onEvent?.(event);
        } catch (fault) {
          console.error(fault);
        }
      },
    }),
    [
      agent,
      userKey,
      labels,
      translation,
      theme,
      scheme,
      props.enableHistory,
      tools,
      builtinToolMeta,
    ],
  );
  const input = useMemo(() => ({ inputValue, setInputValue }), [inputValue]);
  return (
    <AgentContext.Provider value={value}>
      <InputContext.Provider value={input}>{children}</InputContext.Provider>
    </AgentContext.Provider>
  );
}

const providerProps = [
  "getSessionToken",
  "projectId",
  "integrationId",
  "model",
  "tools",
  "context",
  "builtinToolMeta",
  "customInstructions",
  "user",
  "onEvent",
  "theme",
  "sourceGroupIdsInclude",
  "enableHistory",
  "shareTabs",
  "baseUrl",
  "userKey",
  "locale",
  "translation",
  "children",
] satisfies readonly (keyof AgentProviderProps)[];

const noMeta: Readonly<Record<string, BuiltinToolMeta>> = {};

/** The provider's agent: made once, told of new props, ended when the provider is really gone. */
function useAgent<Context>(
  latest: React.RefObject<AgentProviderProps<Context>>,
  props: AgentProviderProps<Context>,
): Agent<Context> {
  const create = (): Agent<Context> =>
    new Agent<Context>({
      ...toOptions(latest.current),
      // Callbacks are read when they are called: an inline one changes nothing.
      getSessionToken: (context) =>
        (latest.current.getSessionToken as (given: typeof context) => never)(context),
      onEvent: (event) => latest.current.onEvent?.(event),
    });
  const [agent, setAgent] = useState(create);
  useEarlyEffect(() => {
    latest.current = props;
    agent.updateOptions(toOptions(props));
  });
  useEarlyEffect(() => {
    // Strict mode takes a component away and puts it back at once; only what stays away is gone.
    clearTimeout(endings.get(agent));
    // An `<Activity>` puts it back later: what was gone begins anew.
    if (gone.has(agent)) setAgent(create());
    const end = (): void => {
      gone.add(agent);
      agent.dispose();
    };
    return () => void endings.set(agent, setTimeout(end, 0));
  }, [agent]);
  return agent;
}

const endings = new WeakMap<object, ReturnType<typeof setTimeout>>();
const gone = new WeakSet<object>();

type Forwarded<Context> = Omit<AgentOptions<Context>, "getSessionToken" | "onEvent">;

function toOptions<Context>(props: AgentProviderProps<Context>): Forwarded<Context> {
  const {
    projectId,
    integrationId,
    model,
    tools = [],
    context,
    builtinToolMeta,
    customInstructions,
    user,
    sourceGroupIdsInclude,
    enableHistory,
    shareTabs,
    baseUrl,
    translation,
    locale = translation?.locale,
  } = props;
  return {
    projectId,
    integrationId,
    tools,
    ...(model !== undefined && { model }),
    ...(context !== undefined && { context }),
    ...(builtinToolMeta !== undefined && { builtinToolMeta }),
    ...(customInstructions !== undefined && { customInstructions }),
    ...(user !== undefined && { user }),
    ...(sourceGroupIdsInclude !== undefined && { sourceGroupIdsInclude }),
    ...(enableHistory !== undefined && { enableHistory }),
    ...(shareTabs !== undefined && { shareTabs }),
    ...(baseUrl !== undefined && { baseUrl }),
    ...(locale !== undefined && { locale }),
  };
}
