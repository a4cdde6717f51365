// A page to print: a label with a QR code for each badge of a box that is ready, and a list of those that are not.
import qrcode from "qrcode-generator";
import type { ReportLine } from "./box-report";

/** Smallest QR version that fits, error correction M: survives a scratch. */
const VERSION_AUTOMATIC = 0;
const CORRECTION = "M";
const MODULE_UNITS = 1;
const MARGIN_UNITS = 2;

/** @returns what a badge's QR code says: scheme, badge id, hardware id and label */
export function codeText({ badge, hardware, label }: ReportLine): string {
  return `salestag:${badge}?hw=${hardware}&label=${encodeURIComponent(label)}`;
}

/** @returns a whole HTML page, nothing from elsewhere in it */
export function labelPage(title: string, lines: ReportLine[]): string {
  const ready = lines.filter(({ state }) => state === "ready");
  const failed = lines.filter(({ state }) => state === "failed");
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
<h1>${escaped(title)}</h1>
<p>${ready.length} ready, ${failed.length} not.</p>
<main>
${ready.map(label).join("\n")}
</main>
${failed.length === 0 ? "" : failures(failed)}
</html>
`;
}

const STYLE = `
body { font: 10pt/1.3 system-ui, sans-serif; margin: 10mm; color: #000; background: #fff; }
h1 { font-size: 14pt; margin: 0; }
main { display: grid; grid-template-columns: repeat(3, 1fr); gap: 4mm; }
section { border: 0.3mm solid #999; border-radius: 2mm; padding: 3mm; display: flex; gap: 3mm; break-inside: avoid; align-items: center; }
section svg { width: 24mm; height: 24mm; flex: none; }
section b { display: block; font-size: 12pt; overflow-wrap: anywhere; }
code { font: 7pt ui-monospace, monospace; display: block; white-space: nowrap; }
table { border-collapse: collapse; margin-top: 6mm; }
td, th { border: 0.2mm solid #999; padding: 1mm 2mm; text-align: left; vertical-align: top; }
`;

function label(line: ReportLine): string {
  return `<section>${svg(codeText(line))}<div><b>${escaped(line.label)}</b><code>${line.badge}</code><code>hw ${line.hardware}</code></div></section>`;
}

function svg(text: string): string {
  const code = qrcode(VERSION_AUTOMATIC, CORRECTION);
  code.addData(text);
  code.make();
  return code.createSvgTag({ cellSize: MODULE_UNITS, margin: MARGIN_UNITS, scalable: true });
}

function failures(lines: ReportLine[]): string {
  const rows = lines.map(
    ({ row, label, hardware, why }) =>
      `<tr><td>${row}</td><td>${escaped(label)}</td><td><code>${escaped(hardware)}</code></td><td>${escaped(why)}</td></tr>`,
  );
  return `<h2>Not ready</h2>
<table><tr><th>line</th><th>label</th><th>hardware</th><th>cause and remedy</th></tr>
${rows.join("\n")}
</table>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`);
}
