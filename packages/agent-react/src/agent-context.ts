"use client";
import type {
  Agent,
  AnyTool,
  OnAgentEvent,
  ToolCallDisplay,
  ToolDisplayMeta,
} from "@valet/agent-core";
import { type ComponentType, createContext, type ReactNode, useContext } from "react";
import type { AgentColorScheme, ResolvedTheme } from "./theme.ts";
import type { Labels } from "./translation.ts";

/** An icon component of any of the usual icon sets. */
export type ToolIcon = ComponentType<{
  size?: number | string;
  color?: string;
  stroke?: number | string;
}>;

/** What a tool's own `render` is given. */
// biome-ignore lint/suspicious/noExplicitAny: without a helper nobody says what the arguments are.
export interface ToolRenderProps<Args = any> {
  readonly status: ToolCallDisplay["status"];
  readonly args: Args;
  readonly result: unknown;
  readonly error: string | undefined;
  readonly onApprove: () => void;
  readonly onReject: () => void;
}

/** How the calls of a tool are shown. */
// biome-ignore lint/suspicious/noExplicitAny: a list holds tools of different arguments.
export interface ToolLook<Args = any> {
  readonly icon?: ToolIcon;
  /** Any CSS colour. */
  readonly iconColor?: string;
  /** Shows the call in the place of the card; `null` leaves it to the card. */
  readonly render?: (props: ToolRenderProps<Args>) => ReactNode;
}

/** A tool that runs in the page, and how its calls are shown. */
export type AgentTool<Context = unknown> = AnyTool<Context> & ToolLook;

/** How a tool of the server is shown. */
export interface BuiltinToolMeta extends ToolDisplayMeta {
  readonly icon?: ToolIcon;
  readonly iconColor?: string;
}

/** What the provider hands to everything below it. */
export interface AgentContextValue {
  readonly agent: Agent<never>;
  /** Who is signed in, as the provider was told. */
  readonly userKey: string | undefined;
  /** The texts of the components, in the provider's language. */
  readonly labels: Labels;
  /** Language of those texts, BCP 47. */
  readonly locale: string;
  readonly dir: "ltr" | "rtl";
  readonly theme: ResolvedTheme;
  readonly colorScheme: AgentColorScheme;
  readonly setColorScheme: (scheme: AgentColorScheme) => void;
  readonly enableHistory: boolean;
  readonly toolsByName: ReadonlyMap<string, AgentTool<never>>;
  readonly builtinToolMeta: Readonly<Record<string, BuiltinToolMeta>>;
  /** Tells the page of an event of the components. Its faults are its own. */
  readonly emit: OnAgentEvent;
}

export const AgentContext: React.Context<AgentContextValue | undefined> = createContext<
  AgentContextValue | undefined
>(undefined);

/** What stands in the input. Apart, so that a key press draws the input again and no message. */
export interface InputContextValue {
  readonly inputValue: string;
  readonly setInputValue: (value: string) => void;
}

export const InputContext: React.Context<InputContextValue> = createContext<InputContextValue>({
  inputValue: "",
  setInputValue: () => undefined,
});

/** The provider's context. @throws Error outside an `AgentProvider`. */
export function useAgentContext(): AgentContextValue {
  const value = useContext(AgentContext);
  if (!value) throw new Error("Put an <AgentProvider> around this component.");
  return value;
}
