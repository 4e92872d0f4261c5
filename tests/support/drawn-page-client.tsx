import { hydrateRoot } from "react-dom/client";
import { DrawnPage } from "./drawn-page.tsx";

/** Takes over what the server drew. React's development build tells every difference. */
const place = document.getElementById("chat") as HTMLElement;
const { projectId = "", integrationId = "" } = place.dataset;
hydrateRoot(place, <DrawnPage projectId={projectId} integrationId={integrationId} />);
