// @ts-check
// A small plot of a history as SVG: five minutes from left to right, from zero to a round number above the largest value.
import { copyOf, find, setText } from "./dom.js";
import { SPAN_MS } from "./history.js";

const WIDTH = 300;
const HEIGHT = 60;
const MINUTES = [60, 120, 180, 240].map((x) => `M${x} 0V${HEIGHT}`).join("");

/**
 * @param {number} value
 * @param {number} least
 * @returns {number} the smallest of 1, 2 and 5 times a power of ten that is not below the value and not below `least`
 */
export function roundAbove(value, least) {
  const wanted = Math.max(value, least);
  const power = 10 ** Math.floor(Math.log10(wanted));
  return ([1, 2, 5].find((step) => step * power >= wanted) ?? 10) * power;
}

/**
 * @param {import("./history.js").Point[]} points
 * @param {number} nowMs
 * @param {number} top
 * @returns {{ line: string, area: string, end: string }} paths; each stretch between gaps is one of its own
 */
export function pathsOf(points, nowMs, top) {
  const paths = { line: "", area: "", end: "" };
  /** @type {[x: string, y: string][]} */
  let stretch = [];
  const finish = () => {
    if (stretch.length === 0) return;
    const line = stretch.map(([x, y]) => `${x} ${y}`).join("L");
    paths.line += `M${line}`;
    paths.area += `M${stretch[0][0]} ${HEIGHT}L${line}L${stretch[stretch.length - 1][0]} ${HEIGHT}Z`;
    stretch = [];
  };
  for (const { atMs, value } of points) {
    if (value === null) finish();
    else {
      const x = WIDTH * (1 - (nowMs - atMs) / SPAN_MS);
      stretch.push([x.toFixed(2), (HEIGHT * (1 - value / top)).toFixed(2)]);
    }
  }
  const newest = stretch.at(-1);
  if (newest !== undefined) paths.end = `M${newest[0]} ${newest[1]}h0.01`; // a dot: round ends keep their shape when the plot is stretched
  finish();
  return paths;
}

/**
 * @param {string} what for those who do not see it
 * @param {(value: number) => string} textOf
 * @param {number} least smallest top of the plot
 * @returns {{ element: HTMLElement, draw: (history: import("./history.js").History, nowMs: number) => void }}
 */
export function makePlot(what, textOf, least) {
  const element = copyOf("plot-template");
  const svg = find(element, "svg", SVGSVGElement);
  const path = (/** @type {string} */ name) => find(svg, `.${name}`, SVGPathElement);
  path("grid").setAttribute("d", `M0 0H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}${MINUTES}`);
  return {
    element,
    draw(history, nowMs) {
      const { values } = history;
      const [low, high] = [Math.min(...values), Math.max(0, ...values)];
      const top = roundAbove(high, least);
      const { line, area, end } = pathsOf(history.points, nowMs, top);
      path("line").setAttribute("d", line);
      path("area").setAttribute("d", area);
      path("end").setAttribute("d", end);
      setText(find(element, ".scale", HTMLElement), textOf(top));
      const range = values.length === 0 ? "nothing yet" : `lowest ${textOf(low)}, highest ${textOf(high)}`;
      svg.setAttribute("aria-label", `${what} in the last 5 minutes: ${range}`);
    },
  };
}
