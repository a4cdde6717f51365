import assert from "node:assert/strict";
import fc from "fast-check";
import {
  crc16,
  decodeFrame,
  encodeFrame,
  JacdacClient,
  JD_FLAG_ACK_REQUESTED,
  JD_FLAG_COMMAND,
  JD_INDEX_ACK,
  JD_INDEX_PIPE,
  type JdPacket,
  JdTimeoutError,
  sendToPipe,
} from ".";

const BADGE = "0102030405060708";
const CLIENT = "aa".repeat(8);
const SERVICE = { deviceId: BADGE, serviceIndex: 5, serviceClass: 0x18aae1fa };
const LIST = 0x80;
const PACKETS_BYTES_MAX = 240;

/** What a line does to a frame; each answer is one of these. */
type Fate = "arrives" | "lost" | "damaged" | "twice";

/** A line between a client and a device in virtual time; both ends see 1 ms of it. */
class Line {
  nowMs = 0;
  private due: { atMs: number; action: () => void }[] = [];

  constructor(private readonly fate: () => Fate) {}

  carry(frame: Buffer, arrive: (frame: Buffer) => void): void {
    const fate = this.fate();
    if (fate === "lost") return;
    const bytes = Buffer.from(frame);
    if (fate === "damaged") bytes[bytes.length - 1] ^= 0x10;
    for (let times = fate === "twice" ? 2 : 1; times > 0; times--) this.at(1, () => arrive(bytes));
  }

  at(inMs: number, action: () => void): void {
    this.due.push({ atMs: this.nowMs + inMs, action });
  }

  step(): void {
    this.nowMs++;
    const now = this.due.filter(({ atMs }) => atMs <= this.nowMs);
    this.due = this.due.filter(({ atMs }) => atMs > this.nowMs);
    for (const { action } of now) action();
  }
}

/**
 * The sending end of a pipe as jacdac-c's jd_opipe.c has it: packets share a frame as long as they fit, a frame that is not acknowledged
 * is sent again after 8, 16, 32 and 64 ms, and then the stream is given up.
 */
class DevicePipe {
  private frames: JdPacket[][] = [[]];
  private tries = 0;
  private current: Buffer | undefined;

  constructor(
    port: number,
    list: Buffer[],
    private readonly line: Line,
    private readonly send: (frame: Buffer) => void,
  ) {
    let counter = 0;
    const write = (flags: number, data: Buffer) => {
      const packet = { serviceIndex: JD_INDEX_PIPE, command: (port << 7) | flags | (counter++ & 31), data };
      const filled = this.frames.at(-1)!.reduce((sum, { data: { length } }) => sum + ((length + 7) & ~3), 0);
      if (filled + ((data.length + 7) & ~3) > PACKETS_BYTES_MAX) this.frames.push([]);
      this.frames.at(-1)!.push(packet);
    };
    for (const data of list) write(0, data);
    write(0x60, Buffer.alloc(0)); // closes with a packet of metadata
    this.next();
  }

  /** The device has one pipe for this list: asked anew, it drops what it was sending. */
  drop(): void {
    this.current = undefined;
    this.frames = [];
  }

  acknowledged(crc: number): void {
    if (this.current?.readUInt16LE(0) !== crc) return;
    this.current = undefined;
    this.next();
  }

  private next(): void {
    const packets = this.frames.shift();
    if (packets === undefined) return;
    this.current = encodeFrame({
      flags: JD_FLAG_COMMAND | JD_FLAG_ACK_REQUESTED,
      deviceId: CLIENT,
      packets,
    });
    this.tries = 0;
    this.again(this.current);
  }

  private again(frame: Buffer): void {
    if (frame !== this.current || this.tries > 4) return;
    this.send(frame);
    this.line.at(4 << ++this.tries, () => this.again(frame));
  }
}

/** The receiving end of a pipe as jacdac-c's jd_ipipe.c has it: every frame is acknowledged, a packet with another number is dropped. */
class DeviceSink {
  readonly chunks: Buffer[] = [];
  closed = false;
  private counter = 0;

  constructor(
    private readonly port: number,
    private readonly send: (frame: Buffer) => void,
  ) {}

  take(bytes: Buffer): void {
    const frame = decodeFrame(bytes);
    if (frame?.deviceId !== BADGE || (frame.flags & JD_FLAG_ACK_REQUESTED) === 0) return;
    const ack = { serviceIndex: JD_INDEX_ACK, command: bytes.readUInt16LE(0), data: Buffer.alloc(0) };
    this.send(encodeFrame({ flags: 0, deviceId: BADGE, packets: [ack] }));
    for (const { serviceIndex, command, data } of frame.packets) {
      if (serviceIndex !== JD_INDEX_PIPE || command >> 7 !== this.port || this.closed) continue;
      if ((command & 31) !== this.counter) continue;
      this.counter = (this.counter + 1) & 31;
      this.closed = (command & 0x20) !== 0;
      if (!this.closed) this.chunks.push(Buffer.from(data));
    }
  }
}

/** A client, a device that takes a stream, and the line between them. */
function setUpSink(port: number, fate: () => Fate) {
  const line = new Line(fate);
  const sink = new DeviceSink(port, (frame) => line.carry(frame, (bytes) => client.receive(bytes)));
  const client = new JacdacClient(CLIENT, (frame) => line.carry(frame, (bytes) => sink.take(bytes)));
  client.tick(0);
  return { client, line, sink };
}

/** A client, a device that streams a list whenever it is asked, and the line between them. */
function setUp(list: Buffer[], fate: () => Fate) {
  const line = new Line(fate);
  const asked: number[] = [];
  let pipe: DevicePipe | undefined;
  const toDevice = (bytes: Buffer) => {
    const frame = decodeFrame(bytes);
    for (const { serviceIndex, command, data } of frame?.packets ?? []) {
      if (frame!.deviceId === BADGE && serviceIndex === SERVICE.serviceIndex && command === LIST) {
        assert.equal(data.length, 12);
        assert.equal(data.toString("hex", 0, 8), CLIENT);
        asked.push(data.readUInt16LE(8));
        pipe?.drop();
        pipe = new DevicePipe(data.readUInt16LE(8), list, line, toClient);
      } else if (frame!.deviceId === CLIENT && serviceIndex === JD_INDEX_ACK) pipe?.acknowledged(command);
    }
  };
  const client = new JacdacClient(CLIENT, (frame) => line.carry(frame, toDevice));
  const toClient = (frame: Buffer) => line.carry(frame, (bytes) => client.receive(bytes));
  client.tick(0);
  return { client, line, asked };
}

/** Lets the line run until the promise is settled. */
async function drive<T>(
  promise: Promise<T>,
  { client, line }: { client: JacdacClient; line: Line },
): Promise<T> {
  let settled = false;
  const settle = () => {
    settled = true;
  };
  promise.then(settle, settle);
  while (!settled) {
    line.step();
    if (line.nowMs % 25 === 0) client.tick(line.nowMs);
    await Promise.resolve();
  }
  return promise;
}

const numbered = (count: number, lengthBytes: number) =>
  Array.from({ length: count }, (_, i) => Buffer.alloc(lengthBytes, i + 1));

describe("jacdac: streams to the client", () => {
  for (const [count, lengthBytes] of [
    [0, 0],
    [1, 1],
    [1, 236],
    [5, 45],
    [40, 45], // the counter begins again after 32
    [100, 3],
  ])
    it(`a list comes whole (${count} packets of ${lengthBytes} bytes)`, async () => {
      const list = numbered(count, lengthBytes);
      const world = setUp(list, () => "arrives");
      assert.deepEqual(await drive(world.client.collect(SERVICE, LIST, 1000), world), list);
      assert.equal(world.asked.length, 1);
    });

  it("a list comes whole over a line that loses, damages and doubles a fifth of the frames (any seed)", async () => {
    const bad: Fate[] = ["lost", "damaged", "twice"];
    const fates = fc.infiniteStream(fc.nat({ max: 14 }).map((n): Fate => bad[n] ?? "arrives"));
    await fc.assert(
      fc.asyncProperty(fates, fc.integer({ min: 0, max: 70 }), async (stream, count) => {
        const list = numbered(count, 45);
        const world = setUp(list, () => stream.next().value as Fate);
        assert.deepEqual(await drive(world.client.collect(SERVICE, LIST, 120_000), world), list);
      }),
      { numRuns: 200 },
    );
  });

  it("when the device has given up it is asked again on another port, and nothing of the old stream is in the list", async () => {
    const list = numbered(12, 100);
    let sent = 0;
    const world = setUp(list, () => (sent++ > 6 && world.line.nowMs < 300 ? "lost" : "arrives"));
    assert.deepEqual(await drive(world.client.collect(SERVICE, LIST, 5000), world), list);
    assert.equal(world.asked.length, 2);
    assert.notEqual(world.asked[0], world.asked[1]);
  });

  it("two lists at once do not mix", async () => {
    const world = setUp([], () => "arrives");
    const other = { ...SERVICE, serviceIndex: 6 };
    const both = Promise.all([world.client.collect(SERVICE, LIST, 900), world.client.collect(other, 1, 900)]);
    const packet = (port: number, counter: number, text: string) => ({
      serviceIndex: JD_INDEX_PIPE,
      command: (port << 7) | counter,
      data: Buffer.from(text),
    });
    const frame = (...packets: JdPacket[]) =>
      world.client.receive(encodeFrame({ flags: JD_FLAG_COMMAND, deviceId: CLIENT, packets }));
    frame(packet(2, 0, "two"), packet(1, 0, "one"));
    frame(packet(1, 1 | 0x20, "end of one"));
    frame(packet(2, 1 | 0x60, ""));
    assert.deepEqual(
      (await drive(both, world)).map((list) => list.map(String)),
      [["one", "end of one"], ["two"]],
    );
  });

  it("a device that says nothing: the time is up", async () => {
    const world = setUp([], () => "lost");
    await assert.rejects(drive(world.client.collect(SERVICE, LIST, 3000), world), JdTimeoutError);
  });

  it("a list without end is refused after 64 KB", async () => {
    const world = setUp(numbered(300, 236), () => "arrives");
    await assert.rejects(drive(world.client.collect(SERVICE, LIST, 60_000), world), RangeError);
  });

  it("acknowledges what asks for it and is for this client, and nothing else", () => {
    const sent: Buffer[] = [];
    const client = new JacdacClient(CLIENT, (frame) => sent.push(frame));
    const packets = [{ serviceIndex: JD_INDEX_PIPE, command: 0x80, data: Buffer.alloc(1) }];
    const frameOf = (flags: number, deviceId: string) => encodeFrame({ flags, deviceId, packets });
    client.receive(frameOf(JD_FLAG_COMMAND, CLIENT));
    client.receive(frameOf(JD_FLAG_COMMAND | JD_FLAG_ACK_REQUESTED, BADGE));
    client.receive(frameOf(JD_FLAG_ACK_REQUESTED, CLIENT));
    client.receive(frameOf(JD_FLAG_COMMAND | JD_FLAG_ACK_REQUESTED | 4, CLIENT));
    assert.deepEqual(sent, []);
    const asking = frameOf(JD_FLAG_COMMAND | JD_FLAG_ACK_REQUESTED, CLIENT);
    client.receive(asking);
    const command = crc16(asking, 2, asking.length);
    const ack = { serviceIndex: JD_INDEX_ACK, command, data: Buffer.alloc(0) };
    assert.deepEqual(sent.map(decodeFrame), [{ flags: 0, deviceId: CLIENT, packets: [ack] }]);
  });
});

describe("jacdac: streams from the client", () => {
  const bytesOf = (lengthBytes: number) => Buffer.from(Array.from({ length: lengthBytes }, (_, i) => i * 7));

  for (const lengthBytes of [0, 32, 224, 256, 20_000])
    it(`bytes arrive whole, in pieces of a multiple of 32 (${lengthBytes} bytes)`, async () => {
      const world = setUpSink(511, () => "arrives");
      const told: number[] = [];
      const bytes = bytesOf(lengthBytes);
      await drive(
        sendToPipe(world.client, BADGE, 511, bytes, (sentBytes) => told.push(sentBytes)),
        world,
      );
      assert.deepEqual(Buffer.concat(world.sink.chunks), bytes);
      assert.ok(world.sink.closed);
      assert.ok(world.sink.chunks.slice(0, -1).every(({ length }) => length % 32 === 0));
      assert.equal(told.at(-1) ?? 0, lengthBytes);
    });

  it("over a line that loses, damages and doubles a fifth of the frames nothing is missing or twice (any seed)", async () => {
    const bad: Fate[] = ["lost", "damaged", "twice"];
    const fates = fc.infiniteStream(fc.nat({ max: 14 }).map((n): Fate => bad[n] ?? "arrives"));
    await fc.assert(
      fc.asyncProperty(fates, fc.integer({ min: 0, max: 300 }), async (stream, count) => {
        const world = setUpSink(7, () => stream.next().value as Fate);
        const bytes = bytesOf(count * 32);
        await drive(sendToPipe(world.client, BADGE, 7, bytes), world);
        assert.deepEqual(Buffer.concat(world.sink.chunks), bytes);
        assert.ok(world.sink.closed);
      }),
      { numRuns: 100 },
    );
  });

  it("a device that acknowledges nothing: the time is up", async () => {
    const world = setUpSink(7, () => "lost");
    await assert.rejects(drive(sendToPipe(world.client, BADGE, 7, bytesOf(64)), world), JdTimeoutError);
  });
});
