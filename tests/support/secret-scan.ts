import { readFileSync } from "node:fs";
import { root } from "./programs.ts";

/** The pattern that the documentation tells people to scan for. */
export function publishedPattern(): RegExp {
  const found = /`(agk_\(live\|test\)_[^`]+)`/.exec(
    readFileSync(`${root}/SECURITY.md`, "utf8"),
  )?.[1];
  if (found === undefined) throw new Error("SECURITY.md tells no pattern.");
  return new RegExp(found, "g");
}

/** Looks for keys in so many megabytes of text that is random: base64, base64url and hex in turn. */
export function scanRandomText(
  megabytes: number,
  random: (bytes: number) => Buffer,
): { megabytes: number; found: string[] } {
  const pattern = publishedPattern();
  const encodings = ["base64", "base64url", "hex"] as const;
  const found: string[] = [];
  for (let done = 0; done < megabytes; done += 1) {
    const encoding = encodings[done % 3] ?? "hex";
    const text = random(1 << 20)
      .toString(encoding)
      .slice(0, 1 << 20);
    found.push(...(text.match(pattern) ?? []));
  }
  return { megabytes, found };
}
