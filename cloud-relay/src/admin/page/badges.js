// @ts-check
// The list of badges with its search: those online first, then by name. As many rows as somebody reads; more on request.
import { copyOf, find, setChip, setText } from "./dom.js";
import { countOf, countText, durationText } from "./words.js";

/** @typedef {import("../status").BadgeStatus} BadgeStatus */
/** @typedef {import("../status").Status} Status */

const ROWS_STEP = 100;
const order = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** @param {BadgeStatus} a @param {BadgeStatus} b */
function compare(a, b) {
  return Number(b.online) - Number(a.online) || order.compare(a.label, b.label) || (a.id < b.id ? -1 : 1);
}

/** @param {HTMLElement} row @param {BadgeStatus} badge @param {number} relayUnixMs */
function fill(row, badge, relayUnixMs) {
  const part = (/** @type {string} */ selector) => find(row, selector, HTMLElement);
  const { online, sinceUnixMs, heardUnixMs, newest } = badge;
  const ago = (/** @type {number} */ unixMs) => durationText(relayUnixMs - unixMs);
  setText(part(".label"), badge.label || "(not registered)");
  setText(part(".id"), badge.id);
  setChip(part(".chip"), online ? "good" : "idle", online ? "Online" : "Offline");
  setText(part(".since"), sinceUnixMs === null ? "" : `for ${ago(sinceUnixMs)}`);
  setText(part(".heard"), heardUnixMs === null ? "not since the relay started" : `${ago(heardUnixMs)} ago`);
  setText(part(".newest"), newest === null ? "none" : `${newest.epoch} / ${newest.index}`);
}

/** @param {Status["badges"]} badges @param {number} found @param {boolean} searching */
function countsText({ registered, listed }, found, searching) {
  const of =
    listed.length < registered ? `${countText(listed.length)} listed of ${countText(registered)}` : "";
  if (searching) return `${countText(found)} found${of === "" ? "" : `, ${of}`}`;
  return of || countOf(registered, "registered", "registered");
}

/**
 * @param {HTMLElement} root holds the list, its search and its counts
 * @returns {(status: Status) => void} shows an answer
 */
export function makeBadges(root) {
  const part = (/** @type {string} */ selector) => find(root, selector, HTMLElement);
  const search = find(root, "#search", HTMLInputElement);
  const rows = part("#badge-rows");
  /** @type {Map<string, HTMLElement>} */
  let byId = new Map();
  /** @type {Status | undefined} */
  let status;
  let rowsMax = ROWS_STEP;

  const draw = () => {
    if (status === undefined) return;
    const { badges, nowUnixMs } = status;
    const wanted = search.value.trim().toLowerCase();
    const found = badges.listed.filter(({ id, label }) => `${label.toLowerCase()} ${id}`.includes(wanted));
    const shown = found.sort(compare).slice(0, rowsMax);
    const known = byId;
    byId = new Map(shown.map(({ id }) => [id, known.get(id) ?? copyOf("badge-template")]));
    const next = [...byId.values()];
    for (const [at, badge] of shown.entries()) fill(next[at], badge, nowUnixMs);
    if (next.length !== rows.children.length || next.some((row, at) => row !== rows.children[at]))
      rows.replaceChildren(...next);
    part("#badges").hidden = shown.length === 0;
    part("#no-badges").hidden = shown.length > 0;
    setText(
      part("#no-badges"),
      wanted === "" ? "No badge is registered yet." : "No badge has this in its name or id.",
    );
    setText(part("#badges-count"), countsText(badges, found.length, wanted !== ""));
    part("#more").hidden = found.length <= shown.length;
    setText(part("#more"), `Show ${countText(Math.min(ROWS_STEP, found.length - shown.length))} more`);
  };
  search.addEventListener("input", () => {
    rowsMax = ROWS_STEP;
    draw();
  });
  part("#more").addEventListener("click", () => {
    rowsMax += ROWS_STEP;
    draw();
  });
  return (answer) => {
    status = answer;
    draw();
  };
}
