import type { AgentEvent } from "@valet/agent-core";
import { createRoot, type Root } from "react-dom/client";
import { adoptStyles } from "../adopt-styles.ts";
import styles from "../styles.css?inline";
import { attributeNames, readAttributes } from "./attributes.ts";
import { type ElementProperties, ElementView } from "./element-view.tsx";

const hostStyles =
  ":host { all: initial; display: block; height: 100%; } :host([launcher]) { display: contents; } :host([hidden]) { display: none; }";

const propertyNames = [
  "getSessionToken",
  "tools",
  "context",
  "branding",
  "theme",
  "translation",
  "user",
  "customInstructions",
] as const satisfies readonly (keyof ElementProperties)[];

/**
 * `<valet-agent>`: the chat for pages without React. It stands in a shadow root, where no rule of
 * the page reaches it. Its events do not bubble: `valet-event` with what the agent tells, `open`
 * and `close` of the panel.
 */
export class ValetAgentElement extends HTMLElement implements ElementProperties {
  static readonly observedAttributes: readonly string[] = attributeNames;

  declare getSessionToken: ElementProperties["getSessionToken"];
  declare tools: ElementProperties["tools"];
  declare context: ElementProperties["context"];
  declare branding: ElementProperties["branding"];
  declare theme: ElementProperties["theme"];
  declare translation: ElementProperties["translation"];
  declare user: ElementProperties["user"];
  declare customInstructions: ElementProperties["customInstructions"];

  readonly #place: ShadowRoot;
  readonly #properties: ElementProperties = {};
  #root: Root | undefined;
  #isDrawing = false;

  constructor() {
    super();
    this.#place = this.attachShadow({ mode: "open" });
    adoptStyles(hostStyles, this.#place);
    adoptStyles(styles, this.#place);
    for (const name of propertyNames) this.#defineProperty(name);
  }

  /** Whether the panel is open, where there is a launcher. */
  get open(): boolean {
    return this.hasAttribute("open");
  }
  set open(open: boolean) {
    this.toggleAttribute("open", open);
  }

  /** Opens the panel. */
  show(): void {
    this.open = true;
  }

  /** Closes the panel. The conversation goes on being there. */
  close(): void {
    this.open = false;
  }

  connectedCallback(): void {
    this.#draw();
  }

  disconnectedCallback(): void {
    // Moved within the page it comes back at once; only what stays away has ended.
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.#root?.unmount();
      this.#root = undefined;
    });
  }

  attributeChangedCallback(name: string, before: string | null, now: string | null): void {
    this.#draw();
    if (name === "open" && (before === null) !== (now === null)) {
      this.dispatchEvent(new Event(now === null ? "close" : "open"));
    }
  }

  /** One that was set before the element was known is taken over. */
  #defineProperty(name: keyof ElementProperties): void {
    const early = Object.getOwnPropertyDescriptor(this, name)?.value as unknown;
    if (early !== undefined) Object.assign(this.#properties, { [name]: early });
    Object.defineProperty(this, name, {
      configurable: true,
      enumerable: true,
      get: () => this.#properties[name],
      set: (value: unknown) => {
        Object.assign(this.#properties, { [name]: value });
        this.#draw();
      },
    });
  }

  /** Draws once for however many changes are made together. */
  #draw(): void {
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    queueMicrotask(() => {
      this.#isDrawing = false;
      if (!this.isConnected) return;
      this.#root ??= createRoot(this.#place);
      this.#root.render(
        <ElementView
          attributes={readAttributes(this)}
          properties={{ ...this.#properties }}
          onOpenChange={this.#onOpenChange}
          onEvent={this.#onEvent}
        />,
      );
    });
  }

  readonly #onOpenChange = (open: boolean): void => {
    this.open = open;
  };

  readonly #onEvent = (event: AgentEvent): void => {
    this.dispatchEvent(new CustomEvent("valet-event", { detail: event }));
  };
}
