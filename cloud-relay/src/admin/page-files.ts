// The status page's files, read once at the start. They hold no data and need no token; what the browser may do with them is as narrow as the page can
// work with: its own scripts, styles and icon, and requests to its own relay.
import { readFileSync } from "node:fs";

/** A file as it is served. */
export interface PageFile {
  type: string;
  text: string;
}

const FOLDER = new URL("./page/", import.meta.url);
const START_FILE = "page.html";
const FILES = [
  START_FILE,
  "page.css",
  "status.css",
  "icon.svg",
  "page.js",
  "ask.js",
  "badges.js",
  "dom.js",
  "history.js",
  "overview.js",
  "plot.js",
  "sinks.js",
  "words.js",
];
const TYPES: Record<string, string> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml; charset=utf-8",
};

/** Headers of everything that the door answers. */
export const HARDENING_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; "),
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** @returns the page's files by the path that they are asked for with; throws the error of node:fs when one is missing */
export function readPageFiles(): ReadonlyMap<string, PageFile> {
  return new Map(
    FILES.map((name) => {
      const type = TYPES[name.slice(name.lastIndexOf(".") + 1)];
      const text = readFileSync(new URL(name, FOLDER), "utf8");
      return [name === START_FILE ? "/" : `/${name}`, { type, text }];
    }),
  );
}
