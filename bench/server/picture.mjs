import { peers } from "./peers.mjs";
import { middleOf, nameOf } from "./report.mjs";

const width = 760;
const left = 190;
const barHeight = 18;
const rowHeight = 26;

/** Bars of processor time, on a scale of powers of ten, readable on a dark page and on a light one. */
export function toPicture(lanes) {
  const bars = (lane) =>
    lanes[lane]
      .map((entry) => ({ id: entry.id, us: middleOf(entry).cpuUs }))
      .sort((a, b) => a.us - b.us);
  const all = ["verify", "mint"].flatMap((lane) => bars(lane).map(({ us }) => us));
  const [low, high] = [Math.log10(Math.min(...all)) - 0.3, Math.log10(Math.max(...all))];
  const lengthOf = (us) => ((Math.log10(us) - low) / (high - low)) * (width - left - 90);
  let top = 34;
  const parts = [];
  for (const lane of ["verify", "mint"]) {
    parts.push(
      `<text class="title" x="8" y="${top}">${lane}: processor time of a request, in us</text>`,
    );
    top += 12;
    for (const { id, us } of bars(lane)) {
      const length = lengthOf(us).toFixed(1);
      const middle = top + barHeight / 2 + 4;
      parts.push(
        `<text x="${left - 10}" y="${middle}" text-anchor="end">${nameOf(id, peers)}</text>`,
        `<rect class="${id === "valet" ? "ours" : "other"}" x="${left}" y="${top}" width="${length}" height="${barHeight}" rx="3"/>`,
        `<text x="${left + Number(length) + 8}" y="${middle}">${us < 100 ? us.toFixed(1) : us.toFixed(0)}</text>`,
      );
      top += rowHeight;
    }
    top += 28;
  }
  parts.push(
    `<text class="note" x="8" y="${top - 8}">The scale is logarithmic; shorter is better.</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-24 0 ${width + 24} ${top + 6}" role="img" aria-label="Processor time of a verify and of a mint, for each server">
<style>
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-weight: 600; font-size: 14px }
  .note { font-size: 12px }
  .ours { fill: #0b7a53 }
  .other { fill: #8c959f }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .ours { fill: #3fb984 }
    .other { fill: #6e7781 }
  }
</style>
${parts.join("\n")}
</svg>
`;
}
