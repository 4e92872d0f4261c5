"use client";
import { type ReactNode, useMemo, useRef } from "react";
import { useAgentContext } from "./agent-context.ts";
import { toVariables } from "./theme.ts";
import { useStyleProperties } from "./use-style-properties.ts";

/** Props of {@link ValetRoot}. */
interface ValetRootProps {
  readonly className: string;
  /** Variables of the style sheet beside those of the theme. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly children: ReactNode;
}

/** The element that carries theme, colour scheme and language. Everything below is styled from here. */
export function ValetRoot({ className, variables, children }: ValetRootProps): ReactNode {
  const { theme, colorScheme, locale, dir } = useAgentContext();
  const root = useRef<HTMLDivElement>(null);
  useStyleProperties(
    root,
    useMemo(() => ({ ...toVariables(theme), ...variables }), [theme, variables]),
  );
  return (
    <div
      ref={root}
      className={`valet-root ${className}`}
      lang={locale}
      dir={dir}
      data-valet-scheme={colorScheme}
    >
      {children}
    </div>
  );
}
