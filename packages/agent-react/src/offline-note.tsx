"use client";
import { type ReactNode, useSyncExternalStore } from "react";
import { OfflineIcon } from "./icons.tsx";
import { useLabels } from "./use-labels.ts";

/** Says that the browser has no network, for as long as it has none. */
export function OfflineNote(): ReactNode {
  const labels = useLabels();
  const isOnline = useSyncExternalStore(subscribe, readIsOnline, () => true);
  return (
    <div aria-live="polite">
      {!isOnline && (
        <p className="valet-offline">
          <OfflineIcon />
          {labels.offline}
        </p>
      )}
    </div>
  );
}

function subscribe(listener: () => void): () => void {
  addEventListener("online", listener);
  addEventListener("offline", listener);
  return () => {
    removeEventListener("online", listener);
    removeEventListener("offline", listener);
  };
}

const readIsOnline = (): boolean => navigator.onLine;
