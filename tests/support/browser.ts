import { type Browser, chromium, type Page } from "playwright-core";
import { browserArguments, findBrowser } from "../../scripts/find-browser.mjs";

/** Starts the browser that journeys are made in. */
export function openBrowser(): Promise<Browser> {
  const executablePath = findBrowser();
  return chromium.launch({
    args: browserArguments,
    ...(executablePath !== undefined && { executablePath }),
  });
}

/** Everything that went between a page and the network. */
export interface Traffic {
  /** Requests, in order. */
  readonly requests: readonly {
    readonly method: string;
    readonly url: string;
    readonly body: string;
  }[];
  /** The text of every request and answer so far: headers, bodies, scripts. */
  everything(): Promise<string>;
  /** How many requests were sent to a path. */
  count(method: string, path: string): number;
}

/** Listens to a page from now on. */
export function recordTraffic(page: Page): Traffic {
  const requests: { method: string; url: string; body: string }[] = [];
  const texts: Promise<string>[] = [];
  page.on("request", (request) => {
    const body = request.postData() ?? "";
    requests.push({ method: request.method(), url: request.url(), body });
    texts.push(
      request.allHeaders().then(
        (headers) => `${request.url()} ${JSON.stringify(headers)} ${body}`,
        () => "",
      ),
    );
  });
  page.on("requestfinished", (request) => {
    texts.push(
      (async () => {
        const answer = await request.response();
        const headers = JSON.stringify(await answer?.allHeaders());
        return `${headers} ${await answer?.text().catch(() => "")}`;
      })().catch(() => ""),
    );
  });
  return {
    requests,
    everything: async () => (await Promise.all(texts)).join("\n"),
    count: (method, path) =>
      requests.filter(
        (request) => request.method === method && new URL(request.url).pathname === path,
      ).length,
  };
}

/** Reads something of a page until it is the same twice: what was on its way has arrived. */
export async function whenSettled<Value>(read: () => Promise<Value>): Promise<Value> {
  for (let before = await read(); ; ) {
    const now = await read();
    if (JSON.stringify(now) === JSON.stringify(before)) return now;
    before = now;
  }
}
