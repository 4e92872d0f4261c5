import { version } from "react";
import { renderToString } from "react-dom/server";
import { DrawnPage } from "./drawn-page.tsx";

/** What a server sends of the page, and the React it does that with. */
export const draw = (props: {
  readonly projectId: string;
  readonly integrationId: string;
}): { html: string; react: string } => ({
  html: renderToString(<DrawnPage {...props} />),
  react: version,
});
