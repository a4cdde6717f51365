// What may go onto a badge: each check with a file that fails it alone; boards compiled by the real compiler.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ExitCode } from "@salestag/protocol/team";
import { toolError, useFolder } from "@salestag/protocol/testing";
import { readBoard } from "./board-config";
import { PROGRAM_BYTES_MAX } from "./fstor";
import { checkImages, type ImageName, readImage } from "./images";
import { smallImages } from "./images.fixture";

describe("images", () => {
  const folder = useFolder();

  it("images: the fixture passes", () => {
    checkImages(smallImages());
  });

  const spoiled: [
    what: string,
    name: ImageName,
    spoil: (bytes: Buffer) => Buffer | undefined,
    words: RegExp,
  ][] = [
    [
      "a runtime that ends early",
      "runtime",
      (bytes) => bytes.subarray(0, 0x10010),
      /ends before its program of the chip; take devicescript-esp32s3/,
    ],
    ["nothing", "runtime", () => Buffer.alloc(0), /ends before its bootloader/],
    ["no bootloader", "runtime", (bytes) => void bytes.writeUInt8(0, 0), /at 0x0 there is no bootloader/],
    [
      "no program of the chip",
      "runtime",
      (bytes) => void bytes.writeUInt8(0, 0x10000),
      /at 0x10000 there is no program/,
    ],
    [
      "another chip's runtime",
      "runtime",
      (bytes) => void bytes.writeUInt8(5, 12),
      /is for chip 5, not for an ESP32-S3/,
    ],
    ["another chip's program", "runtime", (bytes) => void bytes.writeUInt8(0, 0x1000c), /is for chip 0/],
    [
      "a store elsewhere",
      "runtime",
      (bytes) => void bytes.writeUInt8(0x1d, 0x8046),
      /'fstor' at 0x1d0000 .* not at 0x1c0000/,
    ],
    ["no partition table", "runtime", (bytes) => void bytes.fill(0xff, 0x8000, 0x8020), /'dcfg' at no place/],
    [
      "too long",
      "runtime",
      (bytes) => Buffer.concat([bytes, Buffer.alloc(0x1b0000)]),
      /more than the 1835008 before the store/,
    ],
    [
      "no bytecode",
      "program",
      (bytes) => void bytes.writeUInt8(0, 3),
      /does not begin like DeviceScript bytecode/,
    ],
    [
      "half a program",
      "program",
      (bytes) => Buffer.concat([bytes, Buffer.alloc(8)]),
      /no multiple of 32; it is cut off/,
    ],
    [
      "too long",
      "program",
      (bytes) => Buffer.concat([bytes, Buffer.alloc(PROGRAM_BYTES_MAX)]),
      /more than \d+\.$/,
    ],
    ["a board's JSON as a binary", "board", () => Buffer.from("{}"), /does not begin like a board/],
    [
      "a board cut off",
      "board",
      (bytes) => void bytes.writeUInt32LE(100, 8),
      /says that it has 100 bytes, but it has 88/,
    ],
  ];
  for (const [what, name, spoil, words] of spoiled)
    it(`images: ${what} is refused as ${name}`, () => {
      const images = smallImages();
      images[name] = spoil(images[name]) ?? images[name];
      assert.throws(() => checkImages(images), toolError(ExitCode.Usage, words));
    });

  it("images: a folder, a file that is not there and one too long are refused", () => {
    assert.throws(() => readImage(folder(), "program", 10), toolError(ExitCode.Usage, /there is no file/));
    assert.throws(
      () => readImage(join(folder(), "x"), "program", 10),
      toolError(ExitCode.Usage, /there is no file/),
    );
    writeFileSync(join(folder(), "x"), "0123456789a");
    assert.throws(
      () => readImage(join(folder(), "x"), "program", 10),
      toolError(ExitCode.Usage, /11 bytes, more than a program may have \(10\)/),
    );
  });
});

describe("board", () => {
  const folder = useFolder();
  const board = (content: unknown, name = "badge.board.json"): string => {
    const path = join(folder(), name);
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
    return path;
  };
  const GOOD = {
    devName: "Voice Badge",
    productId: "0x3aa1b2c3",
    pins: { P4: 4 },
    led: { pin: 48, type: 1 },
  };

  it("board: a definition becomes the runtime's binary form, the same each time", async () => {
    const bytes = await readBoard(board(GOOD));
    checkImages({ ...smallImages(), board: bytes });
    for (const text of ["led.pin", "pins.P4", "Voice Badge", "esp32s3"])
      assert.ok(bytes.includes(text), text);
    assert.ok((await readBoard(board(GOOD))).equals(bytes));
    const binary = join(folder(), "board.bin");
    writeFileSync(binary, bytes);
    assert.ok((await readBoard(binary)).equals(bytes));
  });

  it("board: a pin that belongs to the flash, and what is no JSON, are refused in the compiler's words", async () => {
    await assert.rejects(
      readBoard(board({ ...GOOD, pins: { P4: 27 } })),
      toolError(ExitCode.Usage, /P4=27 has 'flash' function/),
    );
    await assert.rejects(readBoard(board("{")), toolError(ExitCode.Usage, /is no board for this badge/));
  });
});
