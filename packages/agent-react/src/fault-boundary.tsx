"use client";
import { Component, type ReactNode } from "react";

/** Props of {@link FaultBoundary}. */
export interface FaultBoundaryProps {
  /** Shown in the place of what failed; `retry` shows that again. */
  readonly fallback: (retry: () => void) => ReactNode;
  /** When it changes, what failed is tried again. */
  readonly resetKey?: unknown;
  readonly children: ReactNode;
}

/** Keeps a fault of what it holds from taking the page down with it. React tells the console. */
export class FaultBoundary extends Component<FaultBoundaryProps, { readonly hasFailed: boolean }> {
  override readonly state = { hasFailed: false };

  static getDerivedStateFromError(): { readonly hasFailed: boolean } {
    return { hasFailed: true };
  }

  override componentDidUpdate(before: FaultBoundaryProps): void {
    if (this.state.hasFailed && before.resetKey !== this.props.resetKey) this.#retry();
  }

  readonly #retry = (): void => this.setState({ hasFailed: false });

  override render(): ReactNode {
    return this.state.hasFailed ? this.props.fallback(this.#retry) : this.props.children;
  }
}
