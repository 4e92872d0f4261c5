import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { contrast, resolveTheme, toVariables } from "./theme.ts";

const rgb = (hex: string) => {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
  return [r, g, b] as const;
};
const aColor = fc
  .integer({ min: 0, max: 0xffffff })
  .map((n) => `#${n.toString(16).padStart(6, "0")}`);

test("text in and on any accent can be read", () => {
  fc.assert(
    fc.property(aColor, (accentColor) => {
      const theme = resolveTheme({ accentColor });
      expect(contrast(rgb(theme.accentOnLight), rgb("#ffffff"))).toBeGreaterThanOrEqual(4.4);
      expect(contrast(rgb(theme.accentOnDark), rgb("#14171b"))).toBeGreaterThanOrEqual(4.4);
      const accent = theme.primaryColors[6] ?? "";
      expect(contrast(rgb(accent), rgb(theme.accentForeground))).toBeGreaterThanOrEqual(4.5);
      expect(theme.primaryColors).toHaveLength(10);
    }),
  );
});

test("the accent itself is the seventh shade, and a colour that is none is the default one", () => {
  expect(resolveTheme({ accentColor: "#0F766E" }).primaryColors[6]).toBe("#0f766e");
  expect(resolveTheme({ accentColor: "#abc" }).primaryColors[6]).toBe("#aabbcc");
  expect(resolveTheme({ accentColor: "red; } body {" })).toEqual(resolveTheme());
});

test("the style sheet's own theme is the default one", () => {
  const css = readFileSync(new URL("styles.css", import.meta.url), "utf8");
  for (const [name, value] of Object.entries(toVariables(resolveTheme()))) {
    expect([name, css.match(new RegExp(`\\n  ${name}: (.*);`))?.[1]]).toEqual([name, value]);
  }
});

test("every rule of the style sheet begins at one of our classes", () => {
  const css = readFileSync(new URL("styles.css", import.meta.url), "utf8").replace(
    /\/\*[\s\S]*?\*\//g,
    "",
  );
  const selectors = [...css.matchAll(/(^|[{}])\s*([^{}@;]+)\{/g)].flatMap(([, , selector = ""]) =>
    selector.split(/,(?![^(]*\))/).map((one) => one.trim()),
  );
  const own = selectors.filter((selector) => !/^(?:\d+%|from|to)$/.test(selector));
  expect(own.length).toBeGreaterThan(80);
  for (const selector of own) expect(selector).toMatch(/^\.valet-/);
  for (const [, name] of css.matchAll(/@keyframes ([\w-]+)/g)) expect(name).toMatch(/^valet-/);
  expect(css).not.toMatch(/@font-face|@import|url\(/);
});
