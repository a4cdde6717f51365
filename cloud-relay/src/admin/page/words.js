// @ts-check
// Numbers, amounts and times as people read them.

const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];
const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const counts = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/**
 * @param {number} count
 * @returns {string} such as "1,204"
 */
export function countText(count) {
  return counts.format(count);
}

/**
 * @param {number} count
 * @param {string} one
 * @param {string} [many]
 * @returns {string} such as "1 failure" or "3 failures"
 */
export function countOf(count, one, many = `${one}s`) {
  return `${countText(count)} ${count === 1 ? one : many}`;
}

/**
 * @param {number} bytes
 * @returns {string} three digits, such as "13.4 MB"
 */
export function bytesText(bytes) {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? countText(value) : decimals(value)} ${BYTE_UNITS[unit]}`;
}

/**
 * @param {number} perSecond
 * @returns {string} such as "0.4" or "1,204"
 */
export function rateText(perSecond) {
  return perSecond >= 99.95 ? countText(perSecond) : perSecond.toFixed(1);
}

/** @param {number} value below 1000 */
function decimals(value) {
  if (value >= 99.95) return value.toFixed(0);
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

/**
 * @param {number} ms
 * @returns {string} the two largest units, such as "3 h 12 min"; "0 s" for anything below a second
 */
export function durationText(ms) {
  if (ms < MINUTE_MS) return `${Math.max(0, Math.floor(ms / SECOND_MS))} s`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min`;
  if (ms < DAY_MS) return `${Math.floor(ms / HOUR_MS)} h ${Math.floor((ms % HOUR_MS) / MINUTE_MS)} min`;
  return `${countText(Math.floor(ms / DAY_MS))} d ${Math.floor((ms % DAY_MS) / HOUR_MS)} h`;
}

/**
 * @param {number} unixMs
 * @returns {string} such as "2026-01-31 08:05:09 UTC"
 */
export function clockText(unixMs) {
  return `${new Date(unixMs).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/**
 * @param {number} unixMs
 * @returns {string} this browser's time of day, such as "08:05:09"
 */
export function timeOfDayText(unixMs) {
  return new Date(unixMs).toLocaleTimeString("en-GB");
}
