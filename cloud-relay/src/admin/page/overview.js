// @ts-check
// The tiles at the top: badges online, chunks per second, the spool.
import { copyOf, find, setFigure, setText } from "./dom.js";
import { History, Rate } from "./history.js";
import { makePlot } from "./plot.js";
import { bytesText, countOf, countText, rateText } from "./words.js";

/** @typedef {import("../status").Status} Status */

/**
 * @param {HTMLElement} tiles
 * @param {string} title
 * @param {(value: number) => string} textOf
 * @param {number} least smallest top of the plot
 */
function makeTile(tiles, title, textOf, least) {
  const element = copyOf("tile-template");
  const history = new History();
  const plot = makePlot(title, textOf, least);
  setText(find(element, "h3", HTMLElement), title);
  element.append(plot.element);
  tiles.append(element);
  return {
    element,
    /** @param {number} nowMs @param {number | null} value @param {string} [note] */
    show(nowMs, value, note) {
      history.add(nowMs, value);
      plot.draw(history, nowMs);
      if (note === undefined) return;
      setFigure(element, value === null ? "–" : textOf(value));
      setText(find(element, ".note", HTMLElement), note);
    },
  };
}

/** @param {Status["spool"]} spool */
function spoolNote({ bytesMax, hasRoom }) {
  if (!hasRoom) return "Full: badges are told to hold";
  return bytesMax === null ? "Has room; the disk is its bound" : `Has room, up to ${bytesText(bytesMax)}`;
}

/**
 * @param {HTMLElement} tiles
 * @returns {(nowMs: number, status: Status | undefined) => void} shows an answer, or that there was none
 */
export function makeOverview(tiles) {
  const badges = makeTile(tiles, "Badges online", countText, 5);
  const chunks = makeTile(tiles, "Chunks per second", rateText, 1);
  const spool = makeTile(tiles, "Spool", bytesText, 1000);
  const rate = new Rate();
  badges.element.id = "tile-badges";
  chunks.element.id = "tile-chunks";
  spool.element.id = "tile-spool";
  return (nowMs, status) => {
    if (status === undefined) {
      for (const tile of [badges, chunks, spool]) tile.show(nowMs, null);
      return;
    }
    const { stored, uptimeMs } = status;
    badges.show(nowMs, status.badges.online, `of ${countText(status.badges.registered)} registered`);
    chunks.show(
      nowMs,
      rate.add(uptimeMs, stored.chunks),
      `${countOf(stored.chunks, "chunk")}, ${bytesText(stored.bytes)} since it started`,
    );
    spool.show(nowMs, status.spool.bytes, spoolNote(status.spool));
    spool.element.classList.toggle("alarm", !status.spool.hasRoom);
  };
}
