// @ts-check
// The status page: asks for the token, then asks the relay every second and shows what it says. The token stays in this tab.
import { askStatus } from "./ask.js";
import { makeBadges } from "./badges.js";
import { find, setChip, setText } from "./dom.js";
import { makeOverview } from "./overview.js";
import { makeSinks } from "./sinks.js";
import { clockText, countOf, durationText, timeOfDayText } from "./words.js";

/** @typedef {import("../status").Status} Status */

const ASK_INTERVAL_MS = 1000;
const TOKEN_KEY = "salestag-relay-token";
const TITLE = document.title;

const part = (/** @type {string} */ id) => find(document, `#${id}`, HTMLElement);
const field = find(document, "#token", HTMLInputElement);
const enter = find(document, "#enter", HTMLButtonElement);
const showOverview = makeOverview(part("tiles"));
const showSinks = makeSinks(part("sinks"), part("no-sinks"));
const showBadges = makeBadges(part("status"));
let watching = new AbortController();
/** This browser's time of the last answer. */
let answeredUnixMs = 0;

/** @param {Status} status */
function showStatus(status) {
  answeredUnixMs = Date.now();
  showOverview(answeredUnixMs, status);
  showSinks(answeredUnixMs, status);
  showBadges(status);
  setText(
    part("about"),
    `Version ${status.version} · up ${durationText(status.uptimeMs)} · ${clockText(status.nowUnixMs)}`,
  );
  setChip(part("link"), "good", "Live");
  part("away").hidden = true;
  document.body.classList.remove("stale");
  document.title = `${countOf(status.badges.online, "badge")} · ${TITLE}`;
}

/** @param {string} why */
function showAway(why) {
  showOverview(Date.now(), undefined);
  showSinks(Date.now(), undefined);
  setChip(part("link"), "bad", "No answer");
  const since = timeOfDayText(answeredUnixMs);
  setText(
    part("away"),
    `The relay was last heard at ${since}: ${why}. What is below is from then. This page asks again every second.`,
  );
  part("away").hidden = false;
  document.body.classList.add("stale");
  document.title = `No answer · ${TITLE}`;
}

/** @param {string} error a sentence, or nothing */
function showDoor(error) {
  for (const id of ["status", "link", "leave"]) part(id).hidden = true;
  setText(part("about"), "Status for its operator");
  part("door").hidden = false;
  document.title = TITLE;
  tellDoor(error);
}

/** @param {string} error */
function tellDoor(error) {
  setText(part("token-error"), error);
  field.setAttribute("aria-invalid", String(error !== ""));
  field.focus();
  field.select();
}

/** @param {Status} status */
function showInside(status) {
  field.value = "";
  part("door").hidden = true;
  for (const id of ["status", "link", "leave"]) part(id).hidden = false;
  showStatus(status);
}

function leave() {
  watching.abort();
  sessionStorage.removeItem(TOKEN_KEY);
}

/** @param {number} waitMs */
const wait = (waitMs) => new Promise((resolve) => setTimeout(resolve, waitMs));

/** Asks every second until the token is refused or forgotten. @param {string} token */
async function watch(token) {
  watching = new AbortController();
  const { signal } = watching;
  for (;;) {
    await wait(ASK_INTERVAL_MS);
    if (signal.aborted) return;
    const answer = await askStatus(token, signal);
    if (signal.aborted) return;
    if (answer.kind === "status") showStatus(answer.status);
    else if (answer.kind === "away") showAway(answer.why);
    else {
      leave();
      showDoor("The relay does not accept this token any more. Enter the new one.");
    }
  }
}

/** @param {string} token */
async function come(token) {
  enter.disabled = true;
  const answer = await askStatus(token);
  enter.disabled = false;
  if (answer.kind === "status") {
    sessionStorage.setItem(TOKEN_KEY, token);
    showInside(answer.status);
    void watch(token);
  } else if (answer.kind === "refused") {
    sessionStorage.removeItem(TOKEN_KEY);
    showDoor("The relay does not accept this token. Compare it with the token file and enter it again.");
  } else showDoor(`The relay cannot be asked: ${answer.why}. Try again when it runs.`);
}

find(document, "#token-form", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  void come(field.value.trim());
});
part("leave").addEventListener("click", () => {
  leave();
  showDoor("");
});

const kept = sessionStorage.getItem(TOKEN_KEY);
if (kept === null) showDoor("");
else void come(kept);
