// `npm run build:hardware`: checks the badge's circuit and writes what is made from it into hardware/build/.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BOARD_FILE, boardFile } from "./board";
import { BADGE } from "./schematic";
import { checkBadge } from "./src/badge-rules";
import { drawing } from "./src/drawing";
import { kicadSchematic } from "./src/kicad";
import { billOfMaterials, netList } from "./src/lists";
import { checkCircuit } from "./src/rules";

const FOLDER = fileURLToPath(new URL("build/", import.meta.url));

const violations = [...checkCircuit(BADGE), ...checkBadge(BADGE)];
for (const { rule, where, message } of violations) process.stderr.write(`${where} ${message} [${rule}]\n`);
if (violations.length > 0) {
  process.stderr.write(`the circuit breaks ${violations.length} rules; nothing was written\n`);
  process.exit(1);
}
const files: Record<string, string> = {
  "badge.kicad_sch": kicadSchematic(BADGE),
  "badge.svg": drawing(BADGE),
  "badge-parts.csv": billOfMaterials(BADGE),
  "badge-nets.txt": netList(BADGE),
  [BOARD_FILE]: boardFile(),
};
mkdirSync(FOLDER, { recursive: true });
for (const [name, text] of Object.entries(files)) {
  writeFileSync(join(FOLDER, name), text);
  process.stdout.write(`hardware/build/${name}\n`);
}
