// The host half of the vector tests; test-rig runs the same vectors on the badge's virtual machine.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { nodeCrypto } from "../host";
import { runVectors, type Vectors } from "./vector-runner";

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), "utf8"));

describe("protocol: test vectors on Node", () => {
  it("passes every vector", async () => {
    const vectors: Vectors = {
      cbor: read("cbor"),
      keys: read("keys"),
      chunks: read("chunks"),
      frames: read("frames"),
      account: read("account"),
      nudges: read("nudges"),
      configurations: read("configurations"),
      phrases: read("phrases"),
    };
    const tally = await runVectors(vectors, nodeCrypto(), async () => {});
    assert.deepEqual(tally.failures, []);
    assert.ok(tally.passed > 500, `only ${tally.passed} checks ran`);
  });
});
