import { InvalidArgumentError } from "commander";

const unitMs = { s: 1000, m: 60_000, h: 3600_000, d: 24 * 3600_000 } as const;

/**
 * Reads a length of time as people type it: `30m`, `24h`, `7d`, or `0`. In milliseconds.
 *
 * @throws `InvalidArgumentError` for anything else, which tells how to write it.
 */
export function parseDuration(text: string): number {
  if (text === "0") return 0;
  const match = /^(\d{1,6})([smhd])$/.exec(text);
  if (!match)
    throw new InvalidArgumentError("Write a length of time such as 30m, 24h or 7d, or 0.");
  return Number(match[1]) * unitMs[match[2] as keyof typeof unitMs];
}

/**
 * Reads an instant to come: `2030-01-31`, which begins at midnight UTC, `2030-01-31T12:00:00Z`, or
 * a length of time from now such as `90d`. As the wire writes it.
 *
 * @throws `InvalidArgumentError` for anything else.
 */
export function parseInstant(text: string, nowMs: number = Date.now()): string {
  if (/^\d+[smhd]$/.test(text)) return new Date(nowMs + parseDuration(text)).toISOString();
  const atMs = /^\d{4}-\d\d-\d\d(T.+(Z|[+-]\d\d:\d\d))?$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (Number.isNaN(atMs)) {
    throw new InvalidArgumentError("Write a day such as 2030-01-31, an instant, or 90d.");
  }
  return new Date(atMs).toISOString();
}
