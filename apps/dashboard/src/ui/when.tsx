import type { ReactNode } from "react";

const units = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
] as const;
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

/** An instant as people say it, with the exact one in the reader's own zone behind it. */
export function When({ instant }: { readonly instant: string }): ReactNode {
  const at = new Date(instant);
  const seconds = (at.getTime() - Date.now()) / 1_000;
  const [unit, size] = units.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
  const isNow = Math.abs(seconds) < 60;
  return (
    <time dateTime={instant} title={exact.format(at)}>
      {isNow ? "just now" : relative.format(Math.trunc(seconds / size), unit)}
    </time>
  );
}
