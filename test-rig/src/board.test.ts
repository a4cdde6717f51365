// The badge's board definition, as DeviceScript's own compiler makes it into what the runtime reads at its start: every pin has the number of the map.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BOARD_FILE, boardDefinition, boardFile } from "@salestag/hardware/board";
import { PINS } from "@salestag/hardware/pins";
import { readBoard } from "@salestag/host-tools";

/** DCFG (DeviceScript's compiler/src/dcfg.ts): a head with the count of entries, then key, hash, type and size, value. */
const OFFSET_COUNT = 12;
const HEAD_BYTES = 88;
const KEY_BYTES = 16;
const ENTRY_BYTES = 24;
const OFFSET_VALUE = 20;

/** @returns the numbers in a configuration, by key */
function numbersOf(config: Buffer): Map<string, number> {
  const numbers = new Map<string, number>();
  for (let i = 0; i < config.readUInt16LE(OFFSET_COUNT); i++) {
    const entry = config.subarray(HEAD_BYTES + i * ENTRY_BYTES);
    const key = entry.toString("latin1", 0, KEY_BYTES).replace(/\0.*$/, "");
    numbers.set(key, entry.readInt32LE(OFFSET_VALUE));
  }
  return numbers;
}

describe("board definition", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "salestag-board-test-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("board: the compiler takes it, and each pin comes out with the number of the map", async () => {
    const path = join(folder, BOARD_FILE);
    writeFileSync(path, boardFile());
    const numbers = numbersOf(await readBoard(path));
    for (const [name, label] of Object.entries(boardDefinition().$pins))
      assert.equal(numbers.get(`pins.${label}`), PINS[name as keyof typeof PINS].gpio, name);
    assert.equal(numbers.get("i2c.pinSDA"), PINS.SDA.gpio);
    assert.equal(numbers.get("i2c.pinSCL"), PINS.SCL.gpio);
  });

  it("board: the compiler refuses one whose flash hangs on a pin of the module's own flash", async () => {
    const path = join(folder, BOARD_FILE);
    const board = boardDefinition();
    writeFileSync(path, JSON.stringify({ ...board, pins: { ...board.pins, P27: 27 } }));
    await assert.rejects(readBoard(path), /flash/);
  });
});
