// Line charts as SVG: axes with ticks, grid, legend, a white ground so that they read in dark pages too. Nothing but strings.

export interface Series {
  name: string;
  /** [x, y] in the axes' units, in order of x. Points off the axes are cut at the frame. */
  points: [number, number][];
  /** In the colour of the series before it: the other detector in the same condition. */
  isDashed?: boolean;
}

export interface Axis {
  label: string;
  from: number;
  to: number;
  ticks: number[];
  log?: boolean;
}

export interface Chart {
  title: string;
  x: Axis;
  y: Axis;
  series: Series[];
}

const WIDTH = 780;
const HEIGHT = 460;
const LEFT = 70;
const TOP = 44;
const PLOT_WIDTH = 450;
const PLOT_HEIGHT = 350;
const LEGEND_X = LEFT + PLOT_WIDTH + 18;
const LEGEND_STEP = 20;
/** Okabe and Ito's colours, told apart by nearly everybody. */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8a7a00"];

/** @returns text that is safe inside an SVG element or attribute */
export function escapeXml(text: string): string {
  const names: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[&<>"']/g, (character) => names[character]);
}

function share({ from, to, log }: Axis, value: number): number {
  return log ? Math.log(value / from) / Math.log(to / from) : (value - from) / (to - from);
}

const xAt = (axis: Axis, value: number): string => (LEFT + PLOT_WIDTH * share(axis, value)).toFixed(1);
const yAt = (axis: Axis, value: number): string => (TOP + PLOT_HEIGHT * (1 - share(axis, value))).toFixed(1);

function text(x: number | string, y: number | string, words: string, attributes = ""): string {
  return `<text x="${x}" y="${y}" ${attributes}>${escapeXml(words)}</text>`;
}

function frame({ x, y }: Chart): string[] {
  const right = LEFT + PLOT_WIDTH;
  const bottom = TOP + PLOT_HEIGHT;
  const lines = [
    ...x.ticks.flatMap((tick) => [
      `<path class="grid" d="M${xAt(x, tick)} ${TOP}V${bottom}"/>`,
      text(xAt(x, tick), bottom + 17, String(tick), 'text-anchor="middle"'),
    ]),
    ...y.ticks.flatMap((tick) => [
      `<path class="grid" d="M${LEFT} ${yAt(y, tick)}H${right}"/>`,
      text(LEFT - 7, Number(yAt(y, tick)) + 4, String(tick), 'text-anchor="end"'),
    ]),
  ];
  const middle = TOP + PLOT_HEIGHT / 2;
  return [
    ...lines,
    `<rect x="${LEFT}" y="${TOP}" width="${PLOT_WIDTH}" height="${PLOT_HEIGHT}" fill="none" stroke="#333"/>`,
    text(LEFT + PLOT_WIDTH / 2, bottom + 40, x.label, 'text-anchor="middle"'),
    text(18, middle, y.label, `text-anchor="middle" transform="rotate(-90 18 ${middle})"`),
  ];
}

function line({ x, y }: Chart, { points, isDashed, name }: Series, colour: string, place: number): string[] {
  const legendY = TOP + 12 + place * LEGEND_STEP;
  const dash = isDashed ? ' stroke-dasharray="6 3"' : "";
  const stroke = `fill="none" stroke="${colour}" stroke-width="2"${dash}`;
  const path = points.map(([px, py], i) => `${i === 0 ? "M" : "L"}${xAt(x, px)} ${yAt(y, py)}`).join("");
  return [
    `<path ${stroke} clip-path="url(#plot)" d="${path}"/>`,
    `<path ${stroke} d="M${LEGEND_X} ${legendY}H${LEGEND_X + 24}"/>`,
    text(LEGEND_X + 30, legendY + 4, name),
  ];
}

/** All lines; a dashed one has the colour of the one before it. */
function lines(chart: Chart): string[] {
  let colour = -1;
  return chart.series.flatMap((series, place) => {
    if (!series.isDashed) colour++;
    return line(chart, series, COLOURS[Math.max(0, colour) % COLOURS.length], place);
  });
}

/** @returns the chart as an SVG document of 780 x 460 units */
export function lineChart(chart: Chart): string {
  const clip = `<clipPath id="plot"><rect x="${LEFT}" y="${TOP}" width="${PLOT_WIDTH}" height="${PLOT_HEIGHT}"/></clipPath>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="13" fill="#222">`,
    `<title>${escapeXml(chart.title)}</title>`,
    `<defs>${clip}<style>.grid{stroke:#ddd;fill:none}</style></defs>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(LEFT, 26, chart.title, 'font-size="16" font-weight="bold"'),
    ...frame(chart),
    ...lines(chart),
    "</svg>",
    "",
  ].join("\n");
}
