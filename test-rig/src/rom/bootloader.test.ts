// The emulated bootloader by its bytes: what it answers, and what it refuses with which error number, in ROM and in the stub.
// Numbers are from Espressif's description of the protocol and of its stub.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";
import { bytesOf } from "@salestag/protocol/testing";
import { EmulatedBootloader } from "./bootloader";
import { Op } from "./command";
import { SlipDecoder, slipEncode } from "./slip";

/** A host that sends packets and keeps what comes back. */
class Host {
  readonly chip = new EmulatedBootloader();
  packets: Buffer[] = [];

  constructor() {
    const decoder = new SlipDecoder(
      70_000,
      (packet) => this.packets.push(packet),
      (what) => assert.fail(what),
    );
    this.chip.onSend = (bytes) => decoder.push(bytes);
  }

  /** @returns value, data and status of the only answer */
  ask(
    op: number,
    data: Uint8Array = Buffer.alloc(0),
    checksum = 0,
  ): { value: number; data: Buffer; status: number[] } {
    this.packets = [];
    const header = Buffer.alloc(8);
    header[1] = op;
    header.writeUInt16LE(data.length, 2);
    header.writeUInt32LE(checksum, 4);
    this.chip.receive(slipEncode(Buffer.concat([header, data])));
    const [answer] = this.packets;
    assert.deepEqual([answer[0], answer[1], answer.readUInt16LE(2)], [1, op, answer.length - 8]);
    const statusBytes = this.chip.runsStub ? 2 : 4;
    return {
      value: answer.readUInt32LE(4),
      data: answer.subarray(8, -statusBytes),
      status: [...answer.subarray(-statusBytes)],
    };
  }

  block(op: Op, sequence: number, bytes: Buffer): number[] {
    return this.ask(op, Buffer.concat([words(bytes.length, sequence, 0, 0), bytes]), sum(bytes)).status;
  }

  loadStub(): void {
    const code = bytesOf(1, 5000);
    this.ask(Op.MemBegin, words(code.length, 1, 0x1800, 0x40378000));
    this.block(Op.MemData, 0, code);
    this.ask(Op.MemEnd, words(0, 0x40378010));
    assert.equal(this.packets.at(-1)?.toString(), "OHAI");
  }
}

function words(...values: number[]): Buffer {
  return Buffer.from(new Uint32Array(values).buffer);
}

function sum(bytes: Buffer): number {
  return bytes.reduce((all, byte) => all ^ byte, 0xef);
}

const SYNC = Buffer.concat([Buffer.from("07071220", "hex"), Buffer.alloc(32, 0x55)]);
const OK_ROM = [0, 0, 0, 0];
const OK_STUB = [0, 0];

describe("emulated bootloader", () => {
  let host: Host;
  beforeEach(() => {
    host = new Host();
  });

  it("bootloader: a sync has eight answers, whose value tells ROM from stub", () => {
    const { value } = host.ask(Op.Sync, SYNC);
    assert.equal(host.packets.length, 8);
    assert.notEqual(value, 0);
    host.loadStub();
    assert.equal(host.ask(Op.Sync, SYNC).value, 0);
    assert.equal(host.packets.length, 8);
  });

  it("bootloader: security info names the chip", () => {
    const { data, status } = host.ask(Op.SecurityInfo);
    assert.deepEqual([data.length, data.readUInt32LE(12), status], [20, 9, OK_ROM]);
  });

  it("bootloader: writes plain and deflated blocks, in ROM and in the stub, and digests them", () => {
    const bytes = bytesOf(3, 10_000);
    const packed = deflateSync(bytes);
    for (const stub of [false, true]) {
      if (stub) host.loadStub();
      const more = stub ? [] : [0];
      const ok = stub ? OK_STUB : OK_ROM;
      assert.deepEqual(host.ask(Op.FlashBegin, words(bytes.length, 3, 4096, 0x10000, ...more)).status, ok);
      for (let i = 0; i < 3; i++) {
        const block = Buffer.alloc(4096, 0xff);
        bytes.copy(block, 0, 4096 * i);
        assert.deepEqual(host.block(Op.FlashData, i, block), ok);
      }
      assert.deepEqual(host.ask(Op.FlashEnd, words(1)).status, ok);
      host.ask(Op.DeflateBegin, words(bytes.length, 2, 8192, 0x20000, ...more));
      assert.deepEqual(host.block(Op.DeflateData, 0, packed.subarray(0, 8192)), ok);
      assert.deepEqual(host.block(Op.DeflateData, 1, packed.subarray(8192)), ok);
      assert.deepEqual(host.ask(Op.DeflateEnd, words(1)).status, ok);
      const md5 = createHash("md5").update(bytes).digest();
      for (const address of [0x10000, 0x20000]) {
        const { data } = host.ask(Op.FlashMd5, words(address, bytes.length, 0, 0));
        assert.equal(stub ? data.toString("hex") : data.toString("ascii"), md5.toString("hex"));
      }
    }
    assert.deepEqual(host.chip.faults, []);
  });

  it("bootloader: the stub reads flash in packets, each acknowledged, and their digest", () => {
    host.loadStub();
    const bytes = bytesOf(4, 12_000);
    host.chip.load(0x30000, bytes);
    assert.deepEqual(host.ask(Op.ReadFlash, words(0x30000, bytes.length, 4096, 1)).status, OK_STUB);
    const read: Buffer[] = [];
    for (let have = 0; have < bytes.length; ) {
      const packet = host.packets.at(-1)!;
      read.push(packet);
      have += packet.length;
      host.chip.receive(slipEncode(words(have)));
    }
    assert.ok(Buffer.concat(read).equals(bytes));
    assert.ok(host.packets.at(-1)?.equals(createHash("md5").update(bytes).digest()));
    assert.deepEqual(host.ask(Op.SpiAttach, words(0)).status, OK_STUB);
    assert.deepEqual(host.chip.faults, []);
  });

  const refused: [what: string, error: [rom: number, stub: number], ask: (host: Host) => number[]][] = [
    [
      "a wrong checksum",
      [7, 0xc1],
      (host) => begun(host).ask(Op.FlashData, Buffer.concat([words(4, 0, 0, 0), Buffer.alloc(4)]), 0).status,
    ],
    [
      "a length that is not the block's",
      [5, 0xc0],
      (host) =>
        begun(host).ask(Op.FlashData, Buffer.concat([words(5, 0, 0, 0), Buffer.alloc(4)]), 0xef).status,
    ],
    ["a block out of order", [6, 0xc2], (host) => begun(host).block(Op.FlashData, 1, Buffer.alloc(4096))],
    [
      "a block twice",
      [6, 0xc2],
      (host) => {
        begun(host).block(Op.FlashData, 0, Buffer.alloc(4096));
        return host.block(Op.FlashData, 0, Buffer.alloc(4096));
      },
    ],
    ["a block before it was begun", [6, 0xc6], (host) => host.block(Op.FlashData, 0, Buffer.alloc(4096))],
    [
      "a deflated block after a plain beginning",
      [6, 0xc6],
      (host) => begun(host).block(Op.DeflateData, 0, Buffer.alloc(4)),
    ],
    ["an end before everything came", [6, 0xc8], (host) => begun(host).ask(Op.FlashEnd, words(1)).status],
    ["a beginning within a sector", [6, 0xc2], (host) => begin(host, 0x10100)],
    ["a beginning beyond the end", [6, 0xc2], (host) => begin(host, 0x1ff000)],
    [
      "what does not inflate",
      [0x0b, 0xc7],
      (host) => {
        host.ask(Op.DeflateBegin, words(4096, 1, 4096, 0, ...(host.chip.runsStub ? [] : [0])));
        return host.block(Op.DeflateData, 0, Buffer.alloc(50, 7));
      },
    ],
    [
      "a digest beyond the end",
      [6, 0xc2],
      (host) => host.ask(Op.FlashMd5, words(0x1ff000, 0x2000, 0, 0)).status,
    ],
    ["a command that there is not", [5, 0xc3], (host) => host.ask(0x77).status],
    ["a sync of other bytes", [5, 0xc3], (host) => host.ask(Op.Sync, Buffer.alloc(36)).status],
  ];
  for (const [what, errors, ask] of refused)
    for (const [index, mode] of ["ROM", "stub"].entries())
      it(`bootloader: ${what} is refused (${mode})`, () => {
        if (index === 1) host.loadStub();
        assert.deepEqual(ask(host).slice(0, 2), [1, errors[index]]);
        assert.equal(host.chip.faults.length, 1);
      });

  it("bootloader: the ROM has none of the stub's commands, and code is started only where some was loaded", () => {
    for (const op of [Op.EraseFlash, Op.EraseRegion, Op.ReadFlash, Op.RunUserCode])
      assert.deepEqual(host.ask(op, words(0, 4096)).status, [1, 5, 0, 0]);
    assert.deepEqual(host.ask(Op.MemEnd, words(0, 0x40378000)).status, [1, 6, 0, 0]);
    assert.equal(host.chip.runsStub, false);
  });

  it("bootloader: a restart by the host ends download mode", () => {
    let rebooted = 0;
    host.chip.onReboot = () => rebooted++;
    host.ask(Op.FlashBegin, words(0, 0, 4096, 0, 0));
    assert.deepEqual(host.ask(Op.FlashEnd, words(0)).status, OK_ROM);
    assert.equal(rebooted, 1);
    host.packets = [];
    host.chip.receive(slipEncode(Buffer.concat([Buffer.from("0008240000000000", "hex"), SYNC])));
    assert.deepEqual(host.packets, []);
  });

  it("bootloader: it finds the next packet after noise, half a packet and a wrong escape", () => {
    host.chip.receive(Buffer.from("0102c00008db01c0", "hex"));
    assert.equal(host.chip.faults.length, 2);
    assert.deepEqual(host.ask(Op.SpiAttach, words(0, 0)).status, OK_ROM);
  });
});

function begin(host: Host, address: number): number[] {
  const more = host.chip.runsStub ? [] : [0];
  return host.ask(Op.FlashBegin, words(8192, 2, 4096, address, ...more)).status;
}

function begun(host: Host): Host {
  assert.equal(begin(host, 0x10000)[0], 0);
  return host;
}
