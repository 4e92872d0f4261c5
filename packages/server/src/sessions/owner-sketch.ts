/** A bound on how many live sessions owners have, in little memory however many owners there are. */
export interface OwnerSketch {
  /** Counts a session of an owner. */
  add(owner: string, expiresAtS: number): void;
  /**
   * Never less than the sessions counted for an owner that have not expired. It may be more:
   * owners share counters, sessions count until the hour of their expiry is over, and one that
   * was ended early still counts.
   */
  atMost(owner: string, nowS: number): number;
}

const hourS = 3600;
const width = 1 << 17;
const mostCounted = 0xffff;

/**
 * Creates a count-min sketch with two rows for each hour in which sessions expire: half a megabyte
 * an hour, given back when the hour is over.
 *
 * @see Cormode and Muthukrishnan, An Improved Data Stream Summary (2005)
 */
export function createOwnerSketch(): OwnerSketch {
  const hours = new Map<number, readonly [Uint16Array, Uint16Array]>();

  return {
    add(owner, expiresAtS) {
      const hour = Math.floor(expiresAtS / hourS);
      let rows = hours.get(hour);
      if (!rows) {
        rows = [new Uint16Array(width), new Uint16Array(width)];
        hours.set(hour, rows);
      }
      const [one, two] = placesOf(owner);
      count(rows[0], one);
      count(rows[1], two);
    },

    atMost(owner, nowS) {
      const [one, two] = placesOf(owner);
      const sums: [number, number] = [0, 0];
      for (const [hour, [first, second]] of hours) {
        if (hour < Math.floor(nowS / hourS)) {
          hours.delete(hour);
          continue;
        }
        sums[0] += first[one] as number;
        sums[1] += second[two] as number;
      }
      return Math.min(...sums);
    },
  };
}

/** A counter that is full stays full: it must never say less than there is. */
function count(row: Uint16Array, place: number): void {
  row[place] = Math.min(mostCounted, (row[place] as number) + 1);
}

/** A place in each row: FNV-1a over the text, from two beginnings. */
function placesOf(text: string): [number, number] {
  let one = 0x811c9dc5;
  let two = 0x050c5d1f;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    one = Math.imul(one ^ unit, 0x01000193);
    two = Math.imul(two ^ unit, 0x01000193);
  }
  return [mix(one), mix(two)];
}

/** Spreads the bits, so that names that differ in their last letter do not stand side by side. */
function mix(hash: number): number {
  const spread = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((spread ^ (spread >>> 12)) >>> 0) % width;
}
