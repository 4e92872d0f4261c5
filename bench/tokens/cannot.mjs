/** The scenarios that a contract without a handling of 401s leaves out. */
export const refusals = ["401-spread", "401-at-once", "401-always"];

/** The scenarios that a contract without a clock leaves out. */
export const lives = [
  "last-seconds-down",
  "slow-renewal",
  "short-life",
  "short-life-idle",
  "clock-ahead",
  "clock-behind",
  "long-life",
  "abort",
];

/** What an implementation cannot do, each with the same reason. */
export function cannot(ids, reason) {
  return Object.fromEntries(ids.map((id) => [id, reason]));
}
