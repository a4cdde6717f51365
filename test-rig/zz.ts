import { simulate } from "./src/simulate/run";
const [seed, hours, badges, verbose] = process.argv.slice(2).map(Number);
const r = await simulate({ badges, hours, seed, onLog: verbose ? (b, at, l) => console.log(b, (at/1000).toFixed(2), l) : undefined });
console.log(JSON.stringify(r, null, 1));
