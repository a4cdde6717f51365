// The badge half of the vector tests: the same runner and the same JSON as on Node, compiled for DeviceScript and run in its
// virtual machine with its crypto.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { nodeCrypto } from "@salestag/protocol/host";
import { runVectors, type Vectors } from "../../../protocol/src/testing/vector-runner";
import { buildProgram } from "./build-program";
import { bootTestBadge } from "./test-badge";

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");
const vector = (name: string) => JSON.parse(read(`protocol/vectors/${name}.json`));

const MAIN = `
import { badgeCrypto } from "./badge-crypto";
import { sleep } from "@devicescript/core";
import { runVectors } from "./vector-runner";
import { VECTORS } from "./vectors";
const tally = await runVectors(VECTORS, badgeCrypto(), async () => await sleep(1));
for (const failure of tally.failures) console.log("failed " + failure);
console.log("passed " + tally.passed);
`;

describe("protocol: test vectors on the badge's virtual machine", () => {
  const vectors: Vectors = {
    cbor: vector("cbor"),
    keys: vector("keys"),
    chunks: vector("chunks"),
    frames: vector("frames"),
    account: vector("account"),
    nudges: vector("nudges"),
    configurations: vector("configurations"),
    phrases: vector("phrases"),
  };
  let log: string[];

  before(async () => {
    const runner = read("protocol/src/testing/vector-runner.ts").replace(
      '"../shared"',
      '"@salestag/protocol"',
    );
    const program = await buildProgram({
      "main.ts": MAIN,
      "badge-crypto.ts": read("firmware/src/badge-crypto.ts"),
      "vector-runner.ts": runner,
      "vectors.ts": `// biome-ignore lint: made for this run\nexport const VECTORS: any = ${JSON.stringify(vectors)};`,
    });
    const test = await bootTestBadge(program);
    await test.time.run(
      60_000,
      () => test.log.some((line) => line.includes("> passed ")) || test.badge.panicCode !== 0,
    );
    log = test.log;
  });

  it("passes every vector", () => {
    assert.deepEqual(
      log.filter((line) => line.includes("> failed ")),
      [],
    );
  });

  it("runs as many checks as Node does", async () => {
    const passed = Number(/> passed (\d+)/.exec(log.join("\n"))?.[1]);
    const onNode = await runVectors(vectors, nodeCrypto(), async () => {});
    assert.equal(passed, onNode.passed, log.join("\n"));
  });
});
