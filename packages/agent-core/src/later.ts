/**
 * What a page needs only once there are tools, past conversations or other pages: loaded with the
 * first use, in one piece, so that what it shares with the rest stays in one piece, too.
 */
export { createPageTools } from "./page-tools.ts";
export { fromStored, goesOn } from "./stored-thread.ts";
export { deleteThread, listThreads, loadThread, rateMessage } from "./thread-history.ts";
export { declareTool } from "./tool-schema.ts";
