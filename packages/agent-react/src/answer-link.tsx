"use client";
import type { MessageSource } from "@valet/agent-core";
import type { ReactNode } from "react";
import { SourceLink } from "./source-link.tsx";
import { useLabels } from "./use-labels.ts";

/** Props of {@link AnswerLink}. */
export interface AnswerLinkProps {
  /** As a model or a document wrote it: anything at all. */
  readonly href: string;
  readonly sources: readonly MessageSource[];
  /** What the link says. */
  readonly text: string;
  readonly children: ReactNode;
}

/**
 * A link in an answer. One to a source of the answer opens it; one to anywhere else says where it
 * leads, because its text may lie; what is no address of the web, of mail or of a telephone stays
 * text.
 */
export function AnswerLink({ href, sources, text, children }: AnswerLinkProps): ReactNode {
  const { notFromDocumentation } = useLabels();
  const page = withoutHash(href);
  const source = sources.find(({ sourceUrl }) => withoutHash(sourceUrl) === page);
  if (source) return <SourceLink source={{ ...source, sourceUrl: href }}>{children}</SourceLink>;
  const target = readTarget(href);
  if (target === undefined) return children;
  return (
    <>
      <a href={href} target="_blank" rel="noopener noreferrer nofollow">
        {children}
      </a>
      {/* Isolated: characters that turn the direction of writing must not disguise the host. */}
      <bdi className="valet-link-mark">
        {text === href ? "" : `${target} · `}
        {notFromDocumentation}
      </bdi>
    </>
  );
}

/** Where a link leads, for people to read; undefined for schemes that do more than lead somewhere. */
function readTarget(href: string): string | undefined {
  if (!URL.canParse(href)) return undefined;
  const { protocol, host, pathname } = new URL(href);
  if (protocol === "http:" || protocol === "https:") return host;
  return protocol === "mailto:" || protocol === "tel:" ? pathname : undefined;
}

function withoutHash(url: string): string {
  return url.replace(/#.*$/, "").replace(/\/$/, "");
}
