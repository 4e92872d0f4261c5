/** Switches that keep the browser quiet, and let it run as root, as containers do. */
export declare const browserArguments: string[];
/** The path of an installed browser, or undefined for Playwright's own. */
export declare function findBrowser(): string | undefined;
