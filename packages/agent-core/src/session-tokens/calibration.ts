/**
 * Tells a fast clock from short tokens, for replies that say only at what instant a token ends. Both
 * look alike: a token that seems to live for seconds. After three such in a row one is used until
 * the server refuses it, the *probe*. If the server still takes it long after it seemed to be over,
 * the clock is wrong; if it refuses it then, the clock is right and the tokens are short.
 */
export interface Calibration {
  /**
   * A lease begins.
   *
   * @param lifeMs The life that it seems to have; undefined when its reply said more than an instant.
   * @param askedMs When it was asked for, by the monotonic clock.
   * @returns Whether the server is to end it, and not the clock.
   */
  begin(lifeMs: number | undefined, askedMs: number): boolean;
  /** The clock has ended the lease. */
  ended(): void;
  /** The server has taken a request, sent then; `true` when that proves the clock wrong. */
  accepted(sentMs: number): boolean;
  /** The server has refused the lease. */
  refused(nowMs: number): void;
}

const shortLifeMs = 600_000;
const shortLivesBeforeProbe = 3;
/** Closer to the end than this, a server's own clock may be what differs. */
const proofMs = 5_000;

/** Creates the calibration of one manager. What it learns is about the clock, not the person. */
export function createCalibration(): Calibration {
  let verdict: "skewed" | "honest" | undefined;
  let inARow = 0;
  let isShort = false;
  /** When the probe seems to be over. */
  let probeEndMs = Number.NaN;
  return {
    begin(lifeMs = 0, askedMs) {
      if (lifeMs >= shortLifeMs) inARow = 0;
      isShort = lifeMs > 1_000 && lifeMs < shortLifeMs;
      const isProbe = isShort && !verdict && inARow >= shortLivesBeforeProbe;
      probeEndMs = isProbe ? askedMs + lifeMs : Number.NaN;
      return isProbe || (isShort && verdict === "skewed");
    },
    ended() {
      if (isShort) inARow += 1;
    },
    accepted(sentMs) {
      const isProof = !verdict && sentMs > probeEndMs + proofMs;
      if (isProof) verdict = "skewed";
      return isProof;
    },
    refused(nowMs) {
      if (!verdict && nowMs >= probeEndMs) verdict = "honest";
      // Revoked, not ended: that says nothing about the clock.
      else if (isShort) inARow = 0;
    },
  };
}
