import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "@valet/agent-react/styles.css";
import "./page.css";
import { App, type DemoConfig } from "./app.tsx";

const root = createRoot(document.getElementById("root") ?? document.body);

/** The two ids are no secrets, and come from the demo's own server. */
async function start(): Promise<void> {
  const answer = await fetch("/config.json");
  const config = (await answer.json()) as DemoConfig;
  root.render(
    <StrictMode>
      <App config={config} />
    </StrictMode>,
  );
}

start().catch(() => {
  root.render(<p role="alert">The demo's server does not answer. Reload the page to try again.</p>);
});
