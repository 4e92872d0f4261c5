import { request as httpRequest } from "node:http";

const mark = '"type":"text-delta"';
/** The AI SDK's own server says no reason where it has none. */
const isWhole = /"type":"finish"(?!,"finishReason":"error")/;

/**
 * Asks and reads a stream. Fails on any status but 200, and on a stream that does not end well.
 *
 * @param {{ url: string, headers: object, body: string }} request
 * @returns {{ first: Promise<string>, whole: Promise<string> }} The text until the first delta has
 *   arrived, and the whole.
 */
export function readStream({ url, headers, body }) {
  let onFirst;
  let onWhole;
  let onError;
  const first = new Promise((resolve, reject) => {
    onFirst = resolve;
    onError = reject;
  });
  const whole = new Promise((resolve, reject) => {
    onWhole = resolve;
    const both = onError;
    onError = (error) => {
      both(error);
      reject(error);
    };
  });
  // Whoever waits for one of them hears of it there.
  first.catch(() => undefined);
  whole.catch(() => undefined);
  const asking = httpRequest(
    url,
    {
      method: "POST",
      // A connection of its own: one that is kept may be closed in the moment it is used again.
      agent: false,
      headers: {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
        ...headers,
      },
    },
    (answer) => {
      const pieces = [];
      let isFirst = true;
      answer.on("data", (piece) => {
        pieces.push(piece);
        if (!isFirst) return;
        const text = Buffer.concat(pieces).toString();
        const at = text.indexOf(mark);
        if (at < 0 || text.indexOf("\n\n", at) < 0) return;
        isFirst = false;
        onFirst(text);
      });
      answer.on("end", () => {
        const text = Buffer.concat(pieces).toString();
        if (answer.statusCode === 200 && isWhole.test(text)) onWhole(text);
        else onError(new Error(`${url} answered ${answer.statusCode}: ${text.slice(-300)}`));
      });
      answer.on("error", onError);
    },
  );
  asking.on("error", onError);
  asking.end(body);
  return { first, whole };
}

/** How many deltas a stream brought. */
export function countDeltas(text) {
  let count = 0;
  for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + mark.length)) count += 1;
  return count;
}

/** The text of the first delta. */
export function firstDelta(text) {
  const at = text.indexOf(mark);
  const begin = text.lastIndexOf("\n", at) + 1;
  return JSON.parse(text.slice(begin + "data: ".length, text.indexOf("\n\n", at))).delta;
}
