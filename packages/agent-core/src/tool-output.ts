/** The most that one result may bring to the model, in bytes of its JSON. */
const maxResultBytes = 64 * 1024;
/** The most that the results of one round may: the server takes 256 KiB with all else. */
const maxRoundBytes = 160 * 1024;
/** The server takes 8,192 characters. */
const maxErrorLength = 8_000;

/** Makes what tools return into what the server takes, for the results that are sent together. */
export type ToResult = (returned: unknown) => unknown;

/**
 * Begins a round.
 *
 * @returns A function that gives a copy, as JSON keeps it.
 * @throws TypeError from that function, for what is no JSON or too large.
 */
export function createToResult(): ToResult {
  let left = maxRoundBytes;
  return (returned) => {
    const json = toJson(returned ?? null);
    const { length } = new TextEncoder().encode(json);
    if (length > Math.min(maxResultBytes, left)) {
      const limit = length > maxResultBytes ? maxResultBytes : maxRoundBytes;
      throw new TypeError(
        `The tool's result is too large: ${Math.ceil(length / 1024)} KiB, of at most ${limit / 1024}.`,
      );
    }
    left -= length;
    return JSON.parse(json) as unknown;
  };
}

function toJson(value: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (cause) {
    throw new TypeError("The tool's result cannot be written as JSON.", { cause });
  }
  if (json === undefined) throw new TypeError("The tool's result cannot be written as JSON.");
  return json;
}

/** What was thrown, in words for the model. */
export function toErrorText(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return text.slice(0, maxErrorLength) || "The tool failed.";
}
