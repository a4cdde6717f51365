// Our Jacdac codec, client and emulated badge against jacdac-ts, an implementation of the protocol by its makers.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import {
  BadgeSettings,
  decodeFrame,
  encodeFrame,
  JD_CLASS_DEVICESCRIPT_MANAGER,
  JD_CLASS_SETTINGS,
  type JdFrame,
  setProgramRunning,
} from "@salestag/protocol/jacdac";
import { newBadgeState } from "./badge-state";
import { BENCH_DEFAULTS, Bench } from "./bench";
import { runAtPace } from "./emulator/pace-gate";

/** As much of jacdac-ts as is used here. */
interface Packet {
  deviceIdentifier: string;
  serviceIndex: number;
  serviceCommand: number;
  data: Uint8Array;
  toBuffer(): Uint8Array;
}
interface Service {
  serviceClass: number;
  serviceIndex: number;
  sendCmdAwaitResponseAsync(packet: Packet): Promise<Packet>;
}
interface Device {
  deviceId: string;
  services(): Service[];
}
interface JdBus {
  start(): Promise<void>;
  stop(): Promise<void>;
  dispose(): void;
  addBridge(bridge: Bridge): () => void;
  on(event: string, handler: (device: Device) => void): () => void;
}
interface Bridge {
  receiveFrameOrPacket(frame: Uint8Array): void;
}
const { JDBus, Packet, createProxyBridge, DEVICE_ANNOUNCE } = createRequire(import.meta.url)("jacdac-ts") as {
  JDBus: new (transports: [], options: object) => JdBus;
  Packet: {
    from(command: number, data: Uint8Array): Packet;
    fromFrame(frame: Uint8Array, timestamp: number): Packet[];
  };
  createProxyBridge(send: (frame: Uint8Array) => void): Bridge;
  DEVICE_ANNOUNCE: string;
};

const DEVICE_ID = "0102030405060708";
const COMMAND_GET = 0x80;

describe("Jacdac: interoperation with jacdac-ts", () => {
  const FRAMES: { what: string; frame: JdFrame }[] = [
    { what: "one packet without data", packets: [[0, 0, 0]] },
    { what: "one byte of padding", packets: [[1, 0x1101, 3]] },
    { what: "the largest index and command", packets: [[0x3f, 0xffff, 4]] },
    {
      what: "three packets of 1, 5 and 8 bytes",
      packets: [
        [1, 0x80, 1],
        [2, 0x8102, 5],
        [3, 0x2003, 8],
      ],
    },
    { what: "the longest packet", packets: [[4, 0x1234, 236]] },
  ].map(({ what, packets }) => ({
    what,
    frame: {
      flags: 0,
      deviceId: DEVICE_ID,
      packets: packets.map(([serviceIndex, command, length]) => ({
        serviceIndex,
        command,
        data: Buffer.from(Array.from({ length }, (_, i) => (i * 7 + 1) & 0xff)),
      })),
    },
  }));

  for (const { what, frame } of FRAMES) {
    it(`reads what we write (${what})`, () => {
      const packets = Packet.fromFrame(Uint8Array.from(encodeFrame(frame)), 0);
      assert.deepEqual(
        packets.map(({ deviceIdentifier, serviceIndex, serviceCommand, data }) => ({
          deviceId: deviceIdentifier,
          serviceIndex,
          command: serviceCommand,
          data: Buffer.from(data),
        })),
        frame.packets.map((packet) => ({ deviceId: frame.deviceId, ...packet })),
      );
    });

    it(`writes what we read (${what}, each packet alone)`, () => {
      for (const { serviceIndex, command, data } of frame.packets) {
        const packet = Packet.from(command, Uint8Array.from(data));
        packet.deviceIdentifier = DEVICE_ID;
        packet.serviceIndex = serviceIndex;
        const decoded = decodeFrame(Buffer.from(packet.toBuffer()));
        assert.equal(decoded?.deviceId, DEVICE_ID);
        assert.deepEqual(decoded.packets, [{ serviceIndex, command, data }]);
      }
    });
  }

  it("finds the emulated badge and reads the setting that our client wrote", async () => {
    const bench = await Bench.open({
      ...BENCH_DEFAULTS,
      state: newBadgeState(DEVICE_ID),
    });
    await bench.until(() => false, 2000);
    const value = Buffer.from("written by one client, read by another");
    const { client } = bench;
    await bench.drive(
      (async () => {
        await setProgramRunning(client, await client.find(JD_CLASS_DEVICESCRIPT_MANAGER, 5000), false);
        await new BadgeSettings(client, await client.find(JD_CLASS_SETTINGS, 5000)).write("label", value);
      })(),
    );
    const stop = runAtPace(bench.time);
    const bus = new JDBus([], { client: false });
    try {
      const bridge = createProxyBridge((frame) => bench.badge.receive(frame));
      bus.addBridge(bridge);
      bench.listen((frame) => bridge.receiveFrameOrPacket(Uint8Array.from(frame)));
      const device = await new Promise<Device>((resolve) => {
        bus.on(DEVICE_ANNOUNCE, (announced) => {
          if (announced.deviceId === DEVICE_ID) resolve(announced);
        });
        void bus.start();
      });
      const service = device.services().find(({ serviceClass }) => serviceClass === JD_CLASS_SETTINGS);
      const ours = client.servicesOf(JD_CLASS_SETTINGS)[0];
      assert.equal(service?.serviceIndex, ours.serviceIndex);
      const answer = await service.sendCmdAwaitResponseAsync(Packet.from(COMMAND_GET, Buffer.from("label")));
      assert.deepEqual(Buffer.from(answer.data), Buffer.concat([Buffer.from("label\0"), value]));
    } finally {
      await stop();
      await bus.stop();
      bus.dispose();
      bench.badge.powerOff();
    }
  });
});
