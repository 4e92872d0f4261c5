import type { ReactNode } from "react";

/** Around what the page draws itself within the chat: there its own style sheets count, as elsewhere. */
export function HostContent({ children }: { readonly children: ReactNode }): ReactNode {
  if (children === undefined || children === null || typeof children === "string") return children;
  return <div className="valet-host">{children}</div>;
}
