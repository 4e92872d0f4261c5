"use client";
import type { CSSProperties, HTMLAttributes, ReactNode } from "react";
import { useAgentContext } from "./agent-context.ts";
import { toVariables } from "./theme.ts";

/** The element that carries theme and colour scheme. Everything below is styled from here. */
export function ValetRoot({
  className = "",
  style,
  children,
  ...rest
}: HTMLAttributes<HTMLDivElement>): ReactNode {
  const { theme, colorScheme, locale, dir } = useAgentContext();
  return (
    <div
      {...rest}
      className={`valet-root ${className}`}
      lang={locale}
      dir={dir}
      data-valet-scheme={colorScheme}
      style={{ ...(toVariables(theme) as CSSProperties), ...style }}
    >
      {children}
    </div>
  );
}
