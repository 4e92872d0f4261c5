import { ValetAgentElement } from "./valet-agent-element.tsx";

/** The element's name in HTML. */
const name = "valet-agent";

// A page may load the file twice; a name can be given once.
if (!customElements.get(name)) customElements.define(name, ValetAgentElement);

export { createToolHelper } from "@valet/agent-core";
export { english } from "../translation.ts";
export { ValetAgentElement };
