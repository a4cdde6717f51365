// The factory's test of a flash chip, on a chip in memory: what is wrong is counted under its name, and what is stored stays.
import assert from "node:assert/strict";
import { type ChipProbe, probeChip } from "../src/chip-probe";
import { FLASH_SECTOR_BYTES, type FlashChip } from "../src/flash/flash-chip";
import { chipOf, NorFlash } from "./nor-flash";

const SECTORS = 256;
const GOOD: ChipProbe = { sectors: SECTORS, places: 4, refused: 0, unerased: 0, unwritten: 0, wrong: 0 };
const rest = async () => undefined;

function newChip(sectors = SECTORS): NorFlash {
  let state = 1;
  return new NorFlash({ sectors, random: () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) });
}

/** Fills every sector, as in a badge that was in use for long. */
function used(nor: NorFlash): NorFlash {
  for (let sector = 0; sector < nor.sectors; sector++)
    nor.load(sector, Buffer.alloc(FLASH_SECTOR_BYTES, sector));
  return nor;
}

describe("chip probe", () => {
  it("a good chip: four places tried, nothing wrong, and all blank afterwards", async () => {
    const nor = newChip();
    assert.deepEqual(await probeChip(chipOf(nor), false, rest), GOOD);
    assert.equal(nor.contains(Buffer.from([0x5a])), false);
    assert.equal(nor.programs, 4 * 16);
  });

  it("a chip that holds something: it is looked past, and stays (sectors in the way)", async () => {
    const nor = newChip();
    for (const sector of [63, 127]) nor.load(sector, Buffer.alloc(FLASH_SECTOR_BYTES, sector));
    assert.deepEqual(await probeChip(chipOf(nor), false, rest), GOOD);
    for (const sector of [63, 127]) {
      const content = nor.read(sector * FLASH_SECTOR_BYTES, FLASH_SECTOR_BYTES);
      assert.ok(content.every((byte) => byte === sector));
      assert.equal(nor.wear[sector], 0);
    }
  });

  it("a chip that is full: nothing is tried; four sectors are erased where it may erase", async () => {
    const nor = used(newChip());
    nor.load(255, Buffer.alloc(FLASH_SECTOR_BYTES, 1));
    const before = new Map([...nor.written()].map(([sector, bytes]) => [sector, Buffer.from(bytes)]));
    assert.deepEqual(await probeChip(chipOf(nor), false, rest), { ...GOOD, places: 0 });
    assert.equal(nor.erases + nor.programs, 0);
    for (const [sector, bytes] of before) assert.deepEqual(nor.written().get(sector), bytes);
    assert.deepEqual(await probeChip(chipOf(nor), true, rest), GOOD);
  });

  it("a chip that is too small is not touched", async () => {
    const nor = newChip(32);
    assert.deepEqual(await probeChip(chipOf(nor), true, rest), { ...GOOD, sectors: 32, places: 0 });
    assert.equal(nor.erases + nor.programs + nor.reads, 0);
  });

  it("faults: takes no writes, reads badly, does not erase, refuses, is smaller than it says", async () => {
    const probeWith = (change: (nor: NorFlash) => Partial<FlashChip>) => {
      const nor = newChip();
      return probeChip({ ...chipOf(nor), ...change(nor) }, false, rest);
    };
    const deaf = await probeWith(() => ({ program: async () => undefined }));
    assert.deepEqual(deaf, { ...GOOD, unwritten: 4 * FLASH_SECTOR_BYTES });
    const noisy = await probeWith((nor) => {
      nor.disturbReads(10);
      return {};
    });
    assert.ok(noisy.wrong > 0 && noisy.places === 4, JSON.stringify(noisy));
    const worn = await probeWith(() => ({ erase: async () => undefined }));
    assert.ok(worn.unerased > 4000 && worn.wrong === 0 && worn.unwritten === 0, JSON.stringify(worn));
    const refusing = await probeWith(() => ({ program: () => Promise.reject(new Error("status 2")) }));
    assert.deepEqual(refusing, { ...GOOD, refused: 1 });
    const half = await probeWith((nor) => ({
      read: async (address, length) => nor.read(address % (128 * FLASH_SECTOR_BYTES), length),
      program: async (address, bytes) => nor.program(address % (128 * FLASH_SECTOR_BYTES), bytes),
      erase: async (sector) => nor.erase(sector % 128),
    }));
    assert.ok(half.wrong > 4000 && half.refused === 0, JSON.stringify(half));
  });
});
