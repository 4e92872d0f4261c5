/** How the components look. All of it may be left out. */
export interface AgentThemeConfig {
  /** `#rgb` or `#rrggbb`; ten shades are made of it. @default "#9333ea" */
  readonly accentColor?: string;
  /** `auto` follows the system. @default "dark" */
  readonly colorScheme?: AgentColorScheme;
  /** @default "Inter, system-ui, sans-serif" */
  readonly fontFamily?: string;
  /** In pixels; everything scales with it. @default 14 */
  readonly fontSize?: number;
  /** @default "soft" */
  readonly radius?: "sharp" | "soft" | "round" | "pill";
}

/** Dark, light, or what the system says. */
export type AgentColorScheme = "dark" | "light" | "auto";

/** A theme with everything worked out. */
export interface ResolvedTheme {
  readonly colorScheme: AgentColorScheme;
  /** Neutral shades on a dark ground: 9 main text, 6 muted, 5 faint, 3 border, 1 subtle ground. */
  readonly darkColors: readonly string[];
  /** The same on a light ground. */
  readonly lightColors: readonly string[];
  /** Shades of the accent, light to dark; 6 is the accent itself. */
  readonly primaryColors: readonly string[];
  /** Text on the accent. */
  readonly accentForeground: string;
  /** Accent as text on a dark ground, with a contrast of 4.5 or more. */
  readonly accentOnDark: string;
  /** Accent as text on a light ground, with a contrast of 4.5 or more. */
  readonly accentOnLight: string;
  readonly white: string;
  /** In pixels. */
  readonly radius: { readonly sm: number; readonly md: number; readonly lg: number };
  readonly fontFamily: string;
  readonly fontSize: number;
  readonly status: { readonly error: string; readonly success: string };
}

const darkColors = [
  "#0f1114",
  "#171a1f",
  "#1f232a",
  "#2c323b",
  "#3b434e",
  "#7d8794",
  "#9da7b3",
  "#c3cad2",
  "#dce1e6",
  "#f0f2f5",
];
const lightColors = [
  "#ffffff",
  "#f6f7f9",
  "#eceef1",
  "#dde1e6",
  "#c4cad2",
  "#6b7480",
  "#57606b",
  "#3f4751",
  "#2a3038",
  "#15181c",
];
const radii = {
  sharp: { sm: 0, md: 0, lg: 0 },
  soft: { sm: 4, md: 8, lg: 12 },
  round: { sm: 8, md: 14, lg: 20 },
  pill: { sm: 12, md: 20, lg: 28 },
} as const;
const fallbackAccent = "#9333ea";
/** How far each shade is from the accent, towards white (above 0) or black (below 0). */
const shades = [0.94, 0.86, 0.74, 0.58, 0.4, 0.2, 0, -0.16, -0.34, -0.52];

/** Works out a theme. A colour that is none becomes the default one. */
export function resolveTheme(config: AgentThemeConfig = {}): ResolvedTheme {
  const accent = parseColor(config.accentColor ?? fallbackAccent) ?? [147, 51, 234];
  const primaryColors = shades.map((share) =>
    toHex(mix(accent, share > 0 ? [255, 255, 255] : [0, 0, 0], Math.abs(share))),
  );
  return {
    colorScheme: config.colorScheme ?? "dark",
    darkColors,
    lightColors,
    primaryColors,
    // Of white and black one always has a contrast of 4.58 or more.
    accentForeground: contrast(accent, [255, 255, 255]) >= 4.5 ? "#ffffff" : "#000000",
    accentOnDark: readableOn([23, 26, 31], accent, [255, 255, 255]),
    accentOnLight: readableOn([255, 255, 255], accent, [0, 0, 0]),
    white: "#ffffff",
    radius: radii[config.radius ?? "soft"],
    fontFamily: config.fontFamily ?? "Inter, system-ui, sans-serif",
    fontSize: config.fontSize ?? 14,
    status: { error: "#e5484d", success: "#30a46c" },
  };
}

/** The theme as the variables of the style sheet. They are set on the component's root alone. */
export function toVariables(theme: ResolvedTheme): Record<string, string> {
  return {
    "--valet-accent": theme.primaryColors[6] ?? fallbackAccent,
    "--valet-accent-strong": theme.primaryColors[7] ?? fallbackAccent,
    "--valet-on-accent": theme.accentForeground,
    "--valet-accent-on-dark": theme.accentOnDark,
    "--valet-accent-on-light": theme.accentOnLight,
    "--valet-font": theme.fontFamily,
    "--valet-size": `${theme.fontSize}px`,
    "--valet-radius-sm": `${theme.radius.sm}px`,
    "--valet-radius-md": `${theme.radius.md}px`,
    "--valet-radius-lg": `${theme.radius.lg}px`,
  };
}

type Rgb = readonly [number, number, number];

/** The accent, moved towards an end until it can be read. */
function readableOn(ground: Rgb, accent: Rgb, towards: Rgb): string {
  for (let share = 0; share < 1; share += 0.05) {
    const color = mix(accent, towards, share);
    if (contrast(color, ground) >= 4.5) return toHex(color);
  }
  return toHex(towards);
}

function parseColor(text: string): Rgb | undefined {
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(text);
  const long = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text);
  const digits = long?.slice(1) ?? short?.slice(1).map((digit) => digit + digit);
  if (!digits) return undefined;
  const [red = 0, green = 0, blue = 0] = digits.map((pair) => Number.parseInt(pair, 16));
  return [red, green, blue];
}

function toHex(color: Rgb): string {
  return `#${color.map((part) => Math.round(part).toString(16).padStart(2, "0")).join("")}`;
}

function mix(color: Rgb, other: Rgb, share: number): Rgb {
  const part = (at: 0 | 1 | 2): number => color[at] + (other[at] - color[at]) * share;
  return [part(0), part(1), part(2)];
}

/** @see https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
export function contrast(one: Rgb, other: Rgb): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(color: Rgb): number {
  const [red = 0, green = 0, blue = 0] = color.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
