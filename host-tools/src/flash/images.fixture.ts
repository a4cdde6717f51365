// The smallest files that pass for a runtime, a program and a board, for tests of what holds them. They would not start.
import type { Images } from "./images";

/** Type, subtype, address, length, name: the rows that are looked at. */
const PARTITIONS: [number, number, number, number, string][] = [
  [0x8a, 0, 0x9000, 0x2000, "dcfg"],
  [0, 0, 0x10000, 0x1b0000, "factory"],
  [0x8a, 1, 0x1c0000, 0x40000, "fstor"],
];

export function smallImages(): Images {
  const runtime = Buffer.alloc(0x10000 + 32, 0xff);
  for (const at of [0, 0x10000]) {
    runtime[at] = 0xe9;
    runtime.writeUInt16LE(9, at + 12);
  }
  PARTITIONS.forEach(([type, subtype, address, lengthBytes, name], index) => {
    const row = Buffer.alloc(32);
    row.set([0xaa, 0x50, type, subtype]);
    row.writeUInt32LE(address, 4);
    row.writeUInt32LE(lengthBytes, 8);
    row.write(name, 12);
    row.copy(runtime, 0x8000 + 32 * index);
  });
  const program = Buffer.alloc(32);
  program.write("446576530a6e29f1", "hex");
  const board = Buffer.alloc(88);
  board.write("444346470a9bb4ca", "hex");
  board.writeUInt32LE(board.length, 8);
  return { runtime, program, board };
}
