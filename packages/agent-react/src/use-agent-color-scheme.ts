"use client";
import { useCallback, useSyncExternalStore } from "react";
import { useAgentContext } from "./agent-context.ts";
import type { AgentColorScheme } from "./theme.ts";

/** What {@link useAgentColorScheme} gives. */
export interface AgentColorSchemeState {
  /** What was asked for. */
  readonly colorScheme: AgentColorScheme;
  /** What is shown: `auto` resolved. */
  readonly resolvedColorScheme: "dark" | "light";
  readonly setColorScheme: (scheme: AgentColorScheme) => void;
  readonly toggleColorScheme: () => void;
}

/** The colour scheme of the provider above, to show and to change. */
export function useAgentColorScheme(): AgentColorSchemeState {
  const { colorScheme, setColorScheme } = useAgentContext();
  const prefersDark = useSyncExternalStore(subscribe, isDark, () => true);
  const system = prefersDark ? "dark" : "light";
  const resolvedColorScheme = colorScheme === "auto" ? system : colorScheme;
  const toggleColorScheme = useCallback(
    () => setColorScheme(resolvedColorScheme === "dark" ? "light" : "dark"),
    [resolvedColorScheme, setColorScheme],
  );
  return { colorScheme, resolvedColorScheme, setColorScheme, toggleColorScheme };
}

const query = "(prefers-color-scheme: dark)";

function subscribe(listener: () => void): () => void {
  const media = globalThis.matchMedia?.(query);
  media?.addEventListener("change", listener);
  return () => media?.removeEventListener("change", listener);
}

function isDark(): boolean {
  return globalThis.matchMedia?.(query).matches ?? true;
}
