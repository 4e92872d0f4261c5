"use client";
import type { MessageSource } from "@valet/agent-core";
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { SourceLink } from "./source-link.tsx";
import { useLabels } from "./use-labels.ts";

/** A number in the text that opens what it stands for. */
export function CitationButton({ source }: { readonly source: MessageSource }): ReactNode {
  const labels = useLabels();
  const [isOpen, setIsOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const popover = useRef<HTMLSpanElement>(null);
  const id = useId();

  useEffect(() => {
    if (!isOpen) return;
    const follow = (): void => place(button.current, popover.current);
    follow();
    const close = (event: Event): void => {
      // Within a shadow root the event's target is the host, for listeners outside.
      const target = event.composedPath()[0] as Node;
      if (!popover.current?.contains(target) && !button.current?.contains(target)) setIsOpen(false);
    };
    const closeByKey = (event: KeyboardEvent): void => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      setIsOpen(false);
      button.current?.focus();
    };
    document.addEventListener("pointerdown", close);
    document.addEventListener("keydown", closeByKey, true);
    // Whatever scrolls or changes its size moves the button, and the popover stays with it.
    document.addEventListener("scroll", follow, true);
    addEventListener("resize", follow);
    return () => {
      document.removeEventListener("pointerdown", close);
      document.removeEventListener("keydown", closeByKey, true);
      document.removeEventListener("scroll", follow, true);
      removeEventListener("resize", follow);
    };
  }, [isOpen]);

  return (
    <span className="valet-citation">
      <button
        ref={button}
        type="button"
        className="valet-citation-button"
        aria-label={labels.source({ number: source.number, title: source.title })}
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setIsOpen(!isOpen)}
      >
        {source.number}
      </button>
      {isOpen && (
        <span
          ref={popover}
          id={id}
          className="valet-popover"
          role="dialog"
          aria-label={source.title}
        >
          <strong className="valet-popover-title">{source.title}</strong>
          <span className="valet-popover-path">
            {[hostOf(source.sourceUrl), ...source.headingPath.slice(1)].filter(Boolean).join(" › ")}
          </span>
          <span className="valet-popover-snippet">{source.snippet}</span>
          <SourceLink source={source} className="valet-popover-link">
            {labels.openPage}
          </SourceLink>
        </span>
      )}
    </span>
  );
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : "";
}

/** Puts the popover beside its button, inside the window, above everything that clips. */
function place(button: HTMLElement | null, popover: HTMLElement | null): void {
  if (!button || !popover) return;
  const at = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = popover;
  const left = Math.max(8, Math.min(at.left - 16, window.innerWidth - width - 8));
  const below = at.bottom + 6;
  const top = below + height > window.innerHeight - 8 ? Math.max(8, at.top - height - 6) : below;
  popover.style.left = `${left}px`;
  popover.style.top = `${top}px`;
}
