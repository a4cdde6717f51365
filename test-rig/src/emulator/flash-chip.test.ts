// The badge's two flash chips in its virtual machine: the one on the bus against the played service, the one on SPI against a strict chip.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { NorFlash } from "@salestag/firmware/nor-flash";
import { buildProgram } from "./build-program";
import { PlayedFlash } from "./flash-chip";
import { Random } from "./random";
import { SPI_CHIP_PROGRAM } from "./spi-chip.fixture";
import { bootTestBadge } from "./test-badge";

const source = (name: string) => readFileSync(new URL(`../../../firmware/${name}`, import.meta.url), "utf8");
const FILES = {
  "flash-chip.ts": source("src/flash/flash-chip.ts"),
  "flash-chip.md": source("services/flash-chip.md"),
  "turns.ts": source("src/flash/turns.ts"),
};

const SERVICE_PROGRAM = `
import { sleep } from "@devicescript/core";
import { openServiceChip } from "./service-chip";
const chip = await openServiceChip(3000);
if (chip === undefined) console.log("@chip none");
else {
  console.log("@chip " + chip.sectors);
  const page = Buffer.alloc(256);
  for (let i = 0; i < 256; i++) page[i] = 255 - i;
  await chip.program(3 * 4096, page);
  const read = await chip.read(3 * 4096 - 50, 500);
  let same = read.length === 500;
  for (let i = 0; i < 256; i++) same = same && read[50 + i] === 255 - i;
  console.log("@chip read " + (same && read[49] === 255 && read[306] === 255));
  await chip.erase(3);
  const blank = await chip.read(3 * 4096, 3);
  console.log("@chip erased " + (blank[0] === 255 && blank[2] === 255));
  for (const work of [
    async () => await chip.program(3 * 4096 + 250, Buffer.alloc(10)),
    async () => await chip.erase(64),
    async () => {
      await chip.read(64 * 4096 - 1, 2);
    },
  ])
    try {
      await work();
      console.log("@chip accepted");
    } catch (error) {
      console.log("@chip refused " + (error as Error).message);
    }
  // Two fibers at once: each gets its own answer.
  let otherDone = false;
  const other = async () => {
    let good = true;
    for (let i = 0; i < 20; i++) {
      const bytes = await chip.read(9 * 4096 + i, 1);
      good = good && bytes.length === 1 && bytes[0] === 255;
    }
    console.log("@chip other " + good);
    otherDone = true;
  };
  other.start();
  let good = true;
  for (let i = 0; i < 20; i++) good = good && (await chip.read(8 * 4096, 7)).length === 7;
  console.log("@chip two " + good);
  while (!otherDone) await sleep(5);
  console.log("@chip before the cut");
  try {
    await chip.program(0, Buffer.alloc(10));
    console.log("@chip accepted");
  } catch (error) {
    console.log("@chip failed " + (error as Error).message);
  }
}
`;

describe("flash chip on the bus", () => {
  it("programs, reads, erases, says what is refused, serves two fibers, and fails when the chip has no power", async () => {
    const program = await buildProgram({
      ...FILES,
      "service-chip.ts": source("src/flash/service-chip.ts"),
      "words.ts": source("src/flash/words.ts"),
      "main.ts": SERVICE_PROGRAM,
    });
    const random = new Random(3);
    const nor = new NorFlash({ sectors: 64, random: () => random.uint32() });
    let played: PlayedFlash | undefined;
    const { time, badge, log } = await bootTestBadge(program, {
      onFrame: (frame) => played?.receive(frame),
      onLog: (line) => {
        if (line.includes("before the cut")) nor.cutPowerAfter(0);
      },
    });
    played = new PlayedFlash({
      time,
      deviceId: "5a1e57a600000003",
      nor,
      send: (frame) => badge.receive(frame),
    });
    await time.run(20_000, () => log.some((line) => line.includes("@chip failed")));
    badge.powerOff();
    assert.deepEqual(
      log.filter((line) => line.includes("@chip")).map((line) => line.replace(/^.*@chip /, "")),
      [
        "64",
        "read true",
        "erased true",
        "refused the flash chip refused command 130 at 12538, status 1",
        "refused the flash chip refused command 131 at 64, status 1",
        "refused the flash chip gave 0 of 2 bytes at 262143",
        "two true",
        "other true",
        "before the cut",
        "failed the flash chip does not answer command 130",
      ],
    );
  });

  it("no chip on the bus is told after the time given", async () => {
    const program = await buildProgram({
      ...FILES,
      "service-chip.ts": source("src/flash/service-chip.ts"),
      "words.ts": source("src/flash/words.ts"),
      "main.ts": SERVICE_PROGRAM,
    });
    const { time, badge, log } = await bootTestBadge(program);
    await time.run(5000);
    badge.powerOff();
    assert.ok(log.some((line) => line.endsWith("@chip none")));
  });
});

describe("flash chip on SPI", () => {
  it("speaks the command set: wakes, identifies, enables, polls; tells of chips that cannot be used", async () => {
    const program = await buildProgram({
      "flash-chip.ts": FILES["flash-chip.ts"],
      "turns.ts": FILES["turns.ts"],
      "spi-chip.ts": source("src/flash/spi-chip.ts"),
      "main.ts": SPI_CHIP_PROGRAM,
    });
    const { time, badge, log } = await bootTestBadge(program);
    await time.run(60_000, () => log.some((line) => line.includes("@spi done")));
    badge.powerOff();
    assert.deepEqual(
      log.filter((line) => line.includes("@spi")).map((line) => line.replace(/^.*@spi /, "")),
      [
        "size ok",
        "two fibers ok",
        "program: 6 5 18 5 5 5 5",
        "programmed ok",
        "bits only clear ok",
        "a read over pages ok",
        "erase: 6 5 33 5 5 5 5",
        "erased ok",
        "a program over a page's end refused: 7 bytes at 20730 cross the end of a page",
        "a protected chip refused: the flash chip takes no writes: it is protected, or does not hear us",
        "a chip that stays busy refused: the flash chip is busy with command 18 for more than 20 ms: it is worn out",
        "no chip refused: no flash chip answers on SPI: check its wires and its supply",
        "a chip that is too small refused: the flash chip says that its size is 2 to the 12 bytes: it is not one that this badge can use",
        "size of another maker's ok",
        "done",
      ],
    );
  });
});
