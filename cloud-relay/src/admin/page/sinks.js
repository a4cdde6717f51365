// @ts-check
// The list of sinks: state, how far behind, and why one is failing.
import { copyOf, find, setChip, setFigure, setText } from "./dom.js";
import { History } from "./history.js";
import { makePlot } from "./plot.js";
import { bytesText, countOf, durationText } from "./words.js";

/** @typedef {import("../status").SinkStatus} SinkStatus */

/** @type {Record<SinkStatus["state"], { tone: "good" | "busy" | "bad", text: string }>} */
const STATES = {
  current: { tone: "good", text: "Has everything" },
  behind: { tone: "busy", text: "Catching up" },
  failing: { tone: "bad", text: "Failing" },
};

/** @param {string} name */
function makeSink(name) {
  const element = copyOf("sink-template");
  const history = new History();
  const plot = makePlot(`What ${name} has not had`, bytesText, 1000);
  const part = (/** @type {string} */ selector) => find(element, selector, HTMLElement);
  setText(part("h3"), name);
  element.append(plot.element);
  /** @param {number} nowMs @param {SinkStatus | undefined} sink @param {number} relayUnixMs */
  const show = (nowMs, sink, relayUnixMs) => {
    history.add(nowMs, sink?.behindBytes ?? null);
    plot.draw(history, nowMs);
    if (sink === undefined) return;
    const { tone, text } = STATES[sink.state];
    setChip(part(".chip"), tone, text);
    setFigure(element, bytesText(sink.behindBytes), "behind");
    setText(part(".failures"), countsText(sink));
    setText(part(".why"), whyText(sink, relayUnixMs));
  };
  return { name, element, show };
}

/** @param {SinkStatus} sink */
function countsText({ failuresTotal, deadLetters }) {
  const failures = failuresTotal === 0 ? [] : [countOf(failuresTotal, "failure")];
  const letters = deadLetters === 0 ? [] : [countOf(deadLetters, "dead letter")];
  return [...failures, ...letters].join(" · ");
}

/** @param {SinkStatus} sink @param {number} relayUnixMs */
function whyText({ state, why, retryUnixMs }, relayUnixMs) {
  if (state !== "failing") return "";
  const waitMs = (retryUnixMs ?? 0) - relayUnixMs;
  return `${why} — ${waitMs > 0 ? `next attempt in ${durationText(waitMs + 999)}` : "being tried again"}`;
}

/**
 * @param {HTMLElement} list
 * @param {HTMLElement} none shown when there are no sinks
 * @returns {(nowMs: number, status: import("../status").Status | undefined) => void} shows an answer, or that there was none
 */
export function makeSinks(list, none) {
  /** @type {ReturnType<typeof makeSink>[]} */
  let sinks = [];
  return (nowMs, status) => {
    if (status === undefined) {
      for (const sink of sinks) sink.show(nowMs, undefined, 0);
      return;
    }
    const known = sinks;
    sinks = status.sinks.map(({ name }) => known.find((sink) => sink.name === name) ?? makeSink(name));
    if (sinks.length !== known.length || sinks.some((sink, at) => sink !== known[at]))
      list.replaceChildren(...sinks.map(({ element }) => element));
    for (const [at, sink] of sinks.entries()) sink.show(nowMs, status.sinks[at], status.nowUnixMs);
    none.hidden = sinks.length > 0;
  };
}
