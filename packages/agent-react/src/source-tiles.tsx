"use client";
import type { MessageSource } from "@valet/agent-core";
import type { ReactNode } from "react";
import { BookIcon } from "./icons.tsx";
import { SourceLink } from "./source-link.tsx";
import { useLabels } from "./use-labels.ts";

/** A source to show: of a message, or of an app's own, which needs a title and an address. */
export type TileSource = Pick<MessageSource, "title" | "sourceUrl"> & Partial<MessageSource>;

/** Props of {@link SourceTiles}. */
export interface SourceTilesProps {
  readonly sources: readonly TileSource[];
}

/**
 * Sources as a list of links: those that the text cites, and those that were only searched. What
 * does not say whether it is cited counts as cited.
 */
export function SourceTiles({ sources }: SourceTilesProps): ReactNode {
  const labels = useLabels();
  const cited = sources.filter((source) => source.cited !== false);
  const others = sources.filter((source) => source.cited === false);
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

function Tiles({ sources }: { readonly sources: readonly TileSource[] }): ReactNode {
  return (
    <ul className="valet-tiles">
      {sources.map((source) => (
        <li key={source.id ?? source.sourceUrl}>
          <SourceLink source={source} className="valet-tile">
            {source.number !== undefined && (
              <span className="valet-tile-number">{source.number}</span>
            )}
            <span className="valet-tile-text">
              <span className="valet-tile-title">
                {source.headingPath?.at(-1) ?? (source.title || source.sourceUrl)}
              </span>
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
