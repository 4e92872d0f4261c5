import { type AgentEvent, sessionEndpoint } from "@valet/agent-core";
import { type ReactNode, useMemo } from "react";
import { AgentChat, type AgentChatBranding } from "../agent-chat.tsx";
import type { AgentTool } from "../agent-context.ts";
import { AgentLauncher } from "../agent-launcher.tsx";
import { AgentProvider, type AgentProviderProps } from "../agent-provider.tsx";
import { arabic } from "../locales/ar.ts";
import { german } from "../locales/de.ts";
import type { AgentThemeConfig } from "../theme.ts";
import { type AgentTranslation, english } from "../translation.ts";
import type { ElementAttributes } from "./attributes.ts";

/** What only a script can set. */
export interface ElementProperties {
  /** In the place of the attribute `session-endpoint`. */
  getSessionToken?: AgentProviderProps["getSessionToken"] | undefined;
  tools?: readonly AgentTool[] | undefined;
  context?: unknown;
  branding?: AgentChatBranding | undefined;
  /** Over the attributes `color-scheme` and `accent-color`. */
  theme?: AgentThemeConfig | undefined;
  /** In the place of the language that `locale` names. */
  translation?: AgentTranslation | undefined;
  user?: AgentProviderProps["user"];
  customInstructions?: string | undefined;
}

/** Props of {@link ElementView}. */
export interface ElementViewProps {
  readonly attributes: ElementAttributes;
  readonly properties: Readonly<ElementProperties>;
  readonly onOpenChange: (open: boolean) => void;
  readonly onEvent: (event: AgentEvent) => void;
}

/** The element's content: nothing until it knows which agent is meant. */
export function ElementView({
  attributes,
  properties,
  onOpenChange,
  onEvent,
}: ElementViewProps): ReactNode {
  const { projectId, integrationId, baseUrl, model, userKey, locale, launcher, open } = attributes;
  const { tools, context, branding, user, customInstructions } = properties;
  const endpoint = useMemo(
    () => sessionEndpoint(attributes.sessionEndpoint),
    [attributes.sessionEndpoint],
  );
  if (projectId === undefined || integrationId === undefined) return null;
  const chat = branding === undefined ? {} : { branding };
  return (
    <AgentProvider
      projectId={projectId}
      integrationId={integrationId}
      getSessionToken={properties.getSessionToken ?? endpoint}
      enableHistory={attributes.enableHistory}
      theme={{ ...attributes.theme, ...properties.theme }}
      translation={properties.translation ?? translationFor(locale)}
      onEvent={onEvent}
      context={context}
      {...(locale !== undefined && { locale })}
      {...(tools !== undefined && { tools })}
      {...(user !== undefined && { user })}
      {...(customInstructions !== undefined && { customInstructions })}
      {...(baseUrl !== undefined && { baseUrl })}
      {...(model !== undefined && { model })}
      {...(userKey !== undefined && { userKey })}
    >
      {launcher ? (
        <AgentLauncher {...chat} open={open} onOpenChange={onOpenChange} />
      ) : (
        <AgentChat {...chat} />
      )}
    </AgentProvider>
  );
}

function translationFor(locale = "en"): AgentTranslation {
  const language = locale.split("-")[0]?.toLowerCase();
  return [german, arabic].find((known) => known.locale === language) ?? english;
}
