"use client";
import type { RefObject } from "react";
import { useEarlyEffect } from "./use-early-effect.ts";

/**
 * Sets style properties of an element before it is painted. A `style` prop would do the same in the
 * browser, but a page that was drawn on a server gets it as an attribute, which `style-src 'self'`
 * forbids; until React takes over, the style sheet's defaults stand there.
 */
export function useStyleProperties(
  element: RefObject<HTMLElement | null>,
  properties: Readonly<Record<string, string>>,
): void {
  useEarlyEffect(() => {
    for (const [name, value] of Object.entries(properties)) {
      element.current?.style.setProperty(name, value);
    }
  }, [element, properties]);
}
