import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { expect } from "vitest";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** How a page is looked at. */
export type View = readonly [colorScheme: "light" | "dark", width: number];

const usualViews: readonly View[] = [
  ["light", 1200],
  ["dark", 1200],
  ["light", 360],
];

/** Fails for what axe finds on a page as it stands, and for a page that is wider than its window. */
export async function expectAccessible(
  page: Page,
  name: string,
  views: readonly View[] = usualViews,
): Promise<void> {
  for (const [colorScheme, width] of views) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 800 });
    // Colours on their way from one to another have a contrast of neither.
    await page.evaluate(() =>
      Promise.allSettled(
        document
          .getAnimations()
          .filter(({ effect }) => effect?.getTiming().iterations !== Number.POSITIVE_INFINITY)
          .map(({ finished }) => finished),
      ),
    );
    // Past the policy of the page, which rightly allows no script of ours.
    const violations = (await page.evaluate(
      `(() => { ${axe}; return axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"] }).then((found) => found.violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => ({ html })) }))); })()`,
    )) as Violation[];
    const told = violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`,
    );
    expect([name, colorScheme, width, told]).toEqual([name, colorScheme, width, []]);
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect([name, width, overflow]).toEqual([name, width, 0]);
  }
  await page.setViewportSize({ width: 1200, height: 800 });
}
