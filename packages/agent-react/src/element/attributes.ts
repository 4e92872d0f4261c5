import type { AgentColorScheme, AgentThemeConfig } from "../theme.ts";

/** What the element's attributes say. */
export interface ElementAttributes {
  readonly projectId: string | undefined;
  readonly integrationId: string | undefined;
  readonly sessionEndpoint: string;
  readonly baseUrl: string | undefined;
  readonly model: string | undefined;
  readonly userKey: string | undefined;
  readonly locale: string | undefined;
  readonly enableHistory: boolean;
  /** A button in the corner that opens a panel, in the place of a chat where the element stands. */
  readonly launcher: boolean;
  readonly open: boolean;
  readonly theme: AgentThemeConfig;
}

/** The attributes that the element listens to. */
export const attributeNames = [
  "project-id",
  "integration-id",
  "session-endpoint",
  "base-url",
  "model",
  "user-key",
  "locale",
  "enable-history",
  "launcher",
  "open",
  "color-scheme",
  "accent-color",
] as const;

/** Reads them. One that makes no sense counts as absent. */
export function readAttributes(element: HTMLElement): ElementAttributes {
  const text = (name: (typeof attributeNames)[number]): string | undefined =>
    element.getAttribute(name)?.trim() || undefined;
  const is = (name: (typeof attributeNames)[number]): boolean => element.hasAttribute(name);
  const accentColor = text("accent-color");
  return {
    projectId: text("project-id"),
    integrationId: text("integration-id"),
    sessionEndpoint: text("session-endpoint") ?? "/api/session",
    baseUrl: text("base-url"),
    model: text("model"),
    userKey: text("user-key"),
    locale: text("locale"),
    enableHistory: is("enable-history"),
    launcher: is("launcher"),
    open: is("open"),
    theme: {
      colorScheme: toScheme(text("color-scheme")),
      ...(accentColor !== undefined && { accentColor }),
    },
  };
}

/** Unlike in React, the system's choice is the default: a page without a build sets less. */
function toScheme(text: string | undefined): AgentColorScheme {
  return text === "dark" || text === "light" ? text : "auto";
}
