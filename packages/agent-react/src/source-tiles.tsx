"use client";
import type { MessageSource } from "@valet/agent-core";
import type { ReactNode } from "react";
import { BookIcon } from "./icons.tsx";
import { SourceLink } from "./source-link.tsx";
import { useLabels } from "./use-labels.ts";

/** Sources as a list of links: those that the text cites, and those that were only searched. */
export function SourceTiles({
  sources,
}: {
  readonly sources: readonly MessageSource[];
}): ReactNode {
  const labels = useLabels();
  const cited = sources.filter((source) => source.cited);
  const others = sources.filter((source) => !source.cited);
  if (sources.length === 0) return null;
  return (
    <div className="valet-sources">
      {cited.length > 0 && (
        <>
          <p className="valet-sources-title">{labels.sourcesCited}</p>
          <Tiles sources={cited} />
        </>
      )}
      {others.length > 0 && (
        <details className="valet-sources-more">
          <summary>
            {labels.sourcesAlso} ({others.length})
          </summary>
          <Tiles sources={others} />
        </details>
      )}
    </div>
  );
}

function Tiles({ sources }: { readonly sources: readonly MessageSource[] }): ReactNode {
  return (
    <ul className="valet-tiles">
      {sources.map((source) => (
        <li key={source.id}>
          <SourceLink source={source} className="valet-tile">
            <span className="valet-tile-number">{source.number}</span>
            <span className="valet-tile-text">
              <span className="valet-tile-title">{source.headingPath.at(-1) ?? source.title}</span>
              <span className="valet-tile-page">
                <BookIcon />
                {source.title}
              </span>
            </span>
          </SourceLink>
        </li>
      ))}
    </ul>
  );
}
