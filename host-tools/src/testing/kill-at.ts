// Loaded before a program (node --import): kills it, as kill -9 does, right before its KILL_AT-th change of a file under KILL_UNDER.
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const at = Number(process.env.KILL_AT);
const under = process.env.KILL_UNDER ?? "";
const files = new Set<number>();
let changes = 0;

const isOurs = (target: unknown) =>
  typeof target === "string" ? target.startsWith(under) : files.has(target as number);

for (const name of [
  "openSync",
  "writeFileSync",
  "fsyncSync",
  "renameSync",
  "linkSync",
  "unlinkSync",
  "mkdirSync",
]) {
  const all = fs as unknown as Record<string, (...args: unknown[]) => unknown>;
  const real = all[name];
  all[name] = (...args) => {
    const counts = isOurs(args[0]) && !(name === "openSync" && args[1] === "r");
    if (counts && ++changes === at) process.kill(process.pid, "SIGKILL");
    const result = real(...args);
    if (name === "openSync" && isOurs(args[0])) files.add(result as number);
    return result;
  };
}
syncBuiltinESMExports();
