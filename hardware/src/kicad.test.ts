// KiCad reads the schematic that is written: it finds no fault in the badge, finds the planted ones that it can see, and connects what we connect.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BADGE } from "../schematic";
import { FAULTS } from "./faults.fixture";
import { kicadSchematic } from "./kicad";
import { type Circuit, junctionsOf } from "./netlist";

/** The symbols are in the file, not in a library of KiCad's. */
const EXPECTED = "lib_symbol_issues";

interface ErcReport {
  sheets: { violations: { type: string; severity: string; description: string }[] }[];
}

describe("schematic: in KiCad", () => {
  let folder = "";
  before(function () {
    const { status } = spawnSync("kicad-cli", ["version"]);
    if (status !== 0 && process.env.CI)
      throw new Error("'kicad-cli' is not installed; CI must not skip this");
    if (status !== 0) this.skip();
    folder = mkdtempSync(join(tmpdir(), "salestag-kicad-"));
  });
  after(() => {
    if (folder !== "") rmSync(folder, { recursive: true, force: true });
  });

  /** Runs KiCad with its settings in the test's folder. @returns what it wrote */
  function kicad(circuit: Circuit, command: string[]): string {
    const input = join(folder, "badge.kicad_sch");
    const output = join(folder, "output");
    writeFileSync(input, kicadSchematic(circuit));
    const env = { ...process.env, HOME: folder, KICAD_CONFIG_HOME: folder };
    const run = spawnSync("kicad-cli", ["sch", ...command, "-o", output, input], { env, encoding: "utf8" });
    assert.equal(run.status, 0, `${run.stdout}${run.stderr}`);
    return readFileSync(output, "utf8");
  }

  function violations(circuit: Circuit): string[] {
    const report = JSON.parse(kicad(circuit, ["erc", "--severity-all", "--format", "json"])) as ErcReport;
    return report.sheets.flatMap(({ violations }) =>
      violations.map(({ type }) => type).filter((type) => type !== EXPECTED),
    );
  }

  it("kicad: its electrical rules find nothing in the badge", () => {
    assert.deepEqual(violations(BADGE), []);
  });

  for (const { what, kicad: type, plant } of FAULTS)
    if (type !== undefined)
      it(`kicad: its electrical rules find ${what} (${type})`, () => {
        const circuit = structuredClone(BADGE);
        plant(circuit);
        assert.ok(violations(circuit).includes(type), `found ${violations(circuit).join(", ") || "nothing"}`);
      });

  it("kicad: connects the same pads as the netlist", () => {
    const text = kicad(BADGE, ["export", "netlist", "--format", "kicadsexpr"]);
    const ours = new Map<string, string>();
    for (const [net, junctions] of junctionsOf(BADGE))
      for (const { placed, pin } of junctions)
        for (const pad of pin.pads) ours.set(`${placed.reference} ${pad}`, net);
    const theirs = new Map<string, string>();
    let net = "";
    for (const [, name, reference, pad] of text.matchAll(
      /\(net\s+\(code "\d+"\)\s+\(name "([^"]*)"\)|\(node\s+\(ref "([^"]*)"\)\s+\(pin "([^"]*)"\)/g,
    )) {
      if (name !== undefined) net = name;
      else if (!net.startsWith("unconnected-")) theirs.set(`${reference} ${pad}`, net);
    }
    assert.deepEqual([...theirs].sort(), [...ours].sort());
  });
});
