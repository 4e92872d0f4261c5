"use client";
import { useEffect, useState } from "react";

/** After how long without anything new people are told that the work goes on. */
const slowMs = 7_000;

/**
 * Whether nothing new has come for a while.
 *
 * @param isWaiting Whether anything is expected at all.
 * @param latest Whatever changes when something comes.
 */
export function useSlowness(isWaiting: boolean, latest: unknown): boolean {
  const [isSlow, setIsSlow] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what comes begins the wait anew.
  useEffect(() => {
    setIsSlow(false);
    if (!isWaiting) return;
    const timer = setTimeout(() => setIsSlow(true), slowMs);
    return () => clearTimeout(timer);
  }, [isWaiting, latest]);
  return isSlow;
}
