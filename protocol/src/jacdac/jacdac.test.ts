import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeFrame, encodeFrame, JacdacClient, type JdFrame, JdTimeoutError } from ".";
import { enablePacketsFrame, encodeUsb, UsbDecoder } from "./usb-framing";

/** Frames written down from the protocol's own documents and a capture. */
const KNOWN = [
  { what: "USB bridge, enable packets", hex: "613404054a1af618aaaaaaaa003d8100", index: 0x3d, command: 0x81 },
  { what: "USB bridge, enable log", hex: "035204054a1af618aaaaaaaa003d8300", index: 0x3d, command: 0x83 },
  { what: "get program size", hex: "127804011989f4ee0102030400028011", index: 2, command: 0x1180 },
];

const collect = () => {
  const seen = { frames: [] as string[], lines: [] as string[], dropped: [] as string[] };
  const decoder = new UsbDecoder({
    frame: (bytes) => seen.frames.push(bytes.toString("hex")),
    line: (text) => seen.lines.push(text),
    dropped: (what) => seen.dropped.push(what),
  });
  return { seen, decoder };
};

const anyFrame = fc
  .record({
    flags: fc.integer({ min: 0, max: 255 }),
    deviceId: fc.uint8Array({ minLength: 8, maxLength: 8 }).map((b) => Buffer.from(b).toString("hex")),
    packets: fc.array(
      fc.record({
        serviceIndex: fc.integer({ min: 0, max: 63 }),
        command: fc.integer({ min: 0, max: 65535 }),
        data: fc.uint8Array({ maxLength: 70 }).map((b) => Buffer.from(b)),
      }),
      { minLength: 1, maxLength: 3 },
    ),
  })
  .map(
    ({ flags, deviceId, packets }): JdFrame => ({ flags, deviceId, packets: packets.map((p) => ({ ...p })) }),
  );

describe("jacdac: frame codec", () => {
  for (const { what, hex, index, command } of KNOWN)
    it(`reads and writes a known frame (${what})`, () => {
      const frame = decodeFrame(Buffer.from(hex, "hex"));
      assert.deepEqual(frame?.packets, [{ serviceIndex: index, command, data: Buffer.alloc(0) }]);
      assert.equal(encodeFrame(frame).toString("hex"), hex);
    });

  it("the enable frame is the known one", () => {
    assert.equal(enablePacketsFrame().toString("hex"), KNOWN[0].hex);
  });

  it("refuses each known frame with any one bit changed", () => {
    for (const { hex } of KNOWN)
      for (let bit = 0; bit < hex.length * 4; bit++) {
        const bytes = Buffer.from(hex, "hex");
        bytes[bit >> 3] ^= 1 << (bit & 7);
        assert.equal(decodeFrame(bytes), undefined, `bit ${bit}`);
      }
  });

  it("reads back what it wrote (any frame)", () => {
    fc.assert(fc.property(anyFrame, (frame) => assert.deepEqual(decodeFrame(encodeFrame(frame)), frame)));
  });

  it("refuses packets that do not fit (235, 236 and 237 bytes of data; none)", () => {
    const of = (length: number): JdFrame => ({
      flags: 0,
      deviceId: "00".repeat(8),
      packets: [{ serviceIndex: 1, command: 1, data: Buffer.alloc(length) }],
    });
    assert.equal(encodeFrame(of(235)).length, 252);
    assert.equal(encodeFrame(of(236)).length, 252);
    assert.throws(() => encodeFrame(of(237)), RangeError);
    assert.throws(() => encodeFrame({ ...of(0), packets: [] }), RangeError);
  });

  it("never throws on bytes from outside (any bytes)", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 260 }), (bytes) => void decodeFrame(Buffer.from(bytes))),
    );
  });
});

describe("jacdac: USB framing", () => {
  it("frames and log text come out whole, cut at every place", () => {
    const frames = KNOWN.map(({ hex }) => hex).concat("fefefefe00fe");
    const stream = Buffer.concat([
      Buffer.from("boot\r\n"),
      ...frames.map((hex) => Buffer.concat([encodeUsb(Buffer.from(hex, "hex")), Buffer.from("> log é\n")])),
    ]);
    for (let cut = 0; cut <= stream.length; cut++) {
      const { seen, decoder } = collect();
      decoder.push(stream.subarray(0, cut));
      decoder.push(stream.subarray(cut));
      assert.deepEqual(seen, { frames, lines: ["boot", ...frames.map(() => "> log é")], dropped: [] });
    }
  });

  it("any frames come out as they went in, byte by byte", () => {
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 5 }), (frames) => {
        const encoded = frames.map(encodeFrame);
        const { seen, decoder } = collect();
        for (const frame of encoded) for (const byte of encodeUsb(frame)) decoder.push([byte] as never);
        assert.deepEqual(
          seen.frames,
          encoded.map((bytes) => bytes.toString("hex")),
        );
      }),
    );
  });

  it("says what was dropped: an over-long frame, a frame without end, the device's own notices", () => {
    const { seen, decoder } = collect();
    decoder.push(Buffer.concat([Buffer.from([0xfe, 0xfc]), Buffer.alloc(253, 1)]));
    decoder.push(Buffer.from([0xfe, 0xfc, 1, 0xfe, 0xfc, 2, 0xfe, 0xfd, 0xfe, 0xfb, 0xfe, 0xfa, 0xfe, 0xf9]));
    assert.deepEqual(seen.frames, ["02"]);
    assert.equal(seen.dropped.length, 4);
  });

  it("memory stays bounded: text without a line end comes out in pieces", () => {
    const { seen, decoder } = collect();
    decoder.push(Buffer.alloc(5000, 65));
    assert.deepEqual(
      seen.lines.map((line) => line.length),
      [1024, 1024, 1024, 1024],
    );
  });
});

describe("jacdac: client", () => {
  const badge = "0102030405060708";
  const announce = (services: number[]): Buffer => {
    const data = Buffer.alloc(4 + 4 * services.length);
    for (const [i, service] of services.entries()) data.writeUInt32LE(service, 4 + 4 * i);
    return encodeFrame({ flags: 0, deviceId: badge, packets: [{ serviceIndex: 0, command: 0, data }] });
  };

  it("finds a service by its class and forgets a device that stays silent", async () => {
    const client = new JacdacClient("aa".repeat(8), () => {});
    client.tick(0);
    const found = client.find(0x1107dc4a, 1000);
    client.receive(announce([0x1e4b7e66, 0x1107dc4a]));
    assert.deepEqual(await found, { deviceId: badge, serviceIndex: 2, serviceClass: 0x1107dc4a });
    client.tick(3000);
    assert.equal(client.servicesOf(0x1107dc4a).length, 1);
    client.tick(3001);
    assert.equal(client.servicesOf(0x1107dc4a).length, 0);
  });

  it("a request is answered by the right device, index and command only, else it times out", async () => {
    const client = new JacdacClient("aa".repeat(8), () => {});
    client.tick(0);
    const service = { deviceId: badge, serviceIndex: 2, serviceClass: 1 };
    const answer = client.readRegister(service, 0x80, 500);
    const report = (deviceId: string, serviceIndex: number, command: number) =>
      client.receive(
        encodeFrame({ flags: 0, deviceId, packets: [{ serviceIndex, command, data: Buffer.from([9]) }] }),
      );
    report("ff".repeat(8), 2, 0x1080);
    report(badge, 3, 0x1080);
    report(badge, 2, 0x1081);
    client.tick(499);
    report(badge, 2, 0x1080);
    assert.deepEqual(await answer, Buffer.from([9]));
    const silent = client.readRegister(service, 0x80, 500);
    client.tick(999);
    await assert.rejects(silent, JdTimeoutError);
  });

  it("announces itself every 500 ms and not more often", () => {
    const sent: Buffer[] = [];
    const client = new JacdacClient("aa".repeat(8), (frame) => sent.push(frame));
    for (let ms = 0; ms < 2000; ms += 100) client.tick(ms);
    assert.equal(sent.length, 4);
  });
});
