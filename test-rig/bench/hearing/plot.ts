// Line plots as SVG, for docs/benchmarks.md: curves with a legend, on linear axes from 0 to a maximum.

export interface Curve {
  name: string;
  points: [x: number, y: number][];
  isDashed?: boolean;
}

export interface Plot {
  title: string;
  xLabel: string;
  yLabel: string;
  xMax: number;
  yMin?: number;
  yMax: number;
  curves: Curve[];
}

const WIDTH = 640;
const HEIGHT = 420;
const LEFT = 64;
const RIGHT = 16;
const TOP = 40;
const BOTTOM = 52;
const COLORS = ["#0b6e99", "#d9730d", "#448361", "#9065b0", "#c14c8a", "#787774"];
const TICKS = 5;

const escaped = (text: string) =>
  text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");

/** @returns the plot as an SVG document; points beyond the axes are cut to them */
export function plotSvg({ title, xLabel, yLabel, xMax, yMin = 0, yMax, curves }: Plot): string {
  const xOf = (x: number) => LEFT + ((WIDTH - LEFT - RIGHT) * Math.min(xMax, Math.max(0, x))) / xMax;
  const yOf = (y: number) =>
    HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * (Math.min(yMax, Math.max(yMin, y)) - yMin)) / (yMax - yMin);
  const at = (x: number, y: number) => `${xOf(x).toFixed(1)},${yOf(y).toFixed(1)}`;
  const shown = (value: number) => String(Number(value.toFixed(3)));
  const parts: string[] = [];
  for (let i = 0; i <= TICKS; i++) {
    const x = (xMax * i) / TICKS;
    const y = yMin + ((yMax - yMin) * i) / TICKS;
    parts.push(
      `<path d="M${at(x, yMin)}L${at(x, yMax)}M${at(0, y)}L${at(xMax, y)}" stroke="#ddd" fill="none"/>`,
      `<text x="${xOf(x)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${shown(x)}</text>`,
      `<text x="${LEFT - 8}" y="${yOf(y) + 4}" text-anchor="end">${shown(y)}</text>`,
    );
  }
  curves.forEach(({ name, points, isDashed }, i) => {
    const color = COLORS[i % COLORS.length];
    const dash = isDashed ? ' stroke-dasharray="6 4"' : "";
    const path = points.map(([x, y]) => at(x, y)).join("L");
    const legendY = HEIGHT - BOTTOM - 18 * (curves.length - i);
    parts.push(
      `<path d="M${path}" stroke="${color}" stroke-width="2" fill="none"${dash}/>`,
      `<path d="M${WIDTH - 250},${legendY}h28" stroke="${color}" stroke-width="2"${dash}/>`,
      `<text x="${WIDTH - 216}" y="${legendY + 4}">${escaped(name)}</text>`,
    );
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" fill="#222">
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
<text x="${LEFT}" y="24" font-size="15" font-weight="bold">${escaped(title)}</text>
${parts.join("\n")}
<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 12}" text-anchor="middle">${escaped(xLabel)}</text>
<text transform="translate(16 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">${escaped(yLabel)}</text>
</svg>
`;
}
