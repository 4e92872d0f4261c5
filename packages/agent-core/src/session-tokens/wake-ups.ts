/**
 * Calls back whenever the page is back: shown again, restored from the back/forward cache, online.
 * Does nothing where there is no page.
 *
 * @returns What ends it.
 */
export function listenForWakeUps(wake: () => void): () => void {
  const { document, addEventListener } = globalThis as Partial<typeof globalThis>;
  const ended = new AbortController();
  for (const type of document ? ["pageshow", "online", "visibilitychange"] : []) {
    const onEvent = (): void => {
      if (type !== "visibilitychange" || document?.visibilityState === "visible") wake();
    };
    addEventListener?.(type, onEvent, ended);
  }
  return () => ended.abort();
}
