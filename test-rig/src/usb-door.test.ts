import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import {
  BadgeSettings,
  decodeFrame,
  enablePacketsFrame,
  encodeUsb,
  JD_CLASS_DEVICESCRIPT_MANAGER,
  JD_CLASS_SETTINGS,
  setProgramRunning,
  UsbDecoder,
} from "@salestag/protocol/jacdac";
import { BadgePort } from "../../host-tools/src/usb/badge-port";
import { newBadgeState } from "./badge-state";
import { BENCH_DEFAULTS, Bench } from "./bench";
import { runAtPace } from "./emulator/pace-gate";
import { UsbDoor } from "./usb-door";

const DEVICE_ID = "0102030405060708";
const FIND_MS = 5000;

/** A cable to the door: what comes over it, and a way to wait for it. */
class Cable {
  readonly frames: Buffer[] = [];
  readonly lines: string[] = [];
  private changed: () => void = () => {};

  private constructor(readonly socket: Socket) {
    const decoder = new UsbDecoder({
      frame: (bytes) => this.frames.push(bytes),
      line: (text) => this.lines.push(text),
      dropped: (what) => this.lines.push(`dropped: ${what}`),
    });
    socket.on("data", (bytes) => {
      decoder.push(bytes);
      this.changed();
    });
  }

  static async plugIn(door: UsbDoor): Promise<Cable> {
    const socket = connect({ host: "127.0.0.1", port: Number(door.port.split(":").at(-1)) });
    await once(socket, "connect");
    return new Cable(socket);
  }

  async until(done: () => boolean): Promise<void> {
    while (!done())
      await new Promise<void>((resolve) => {
        this.changed = resolve;
      });
  }
}

describe("USB door: an emulated badge in real time on a TCP port", () => {
  let bench: Bench;
  let door: UsbDoor;
  let cable: Cable | undefined;
  let stop: () => Promise<void>;

  beforeEach(async () => {
    const state = newBadgeState(DEVICE_ID);
    let started: () => void = () => {};
    const programStarted = new Promise<void>((resolve) => {
      started = resolve;
    });
    const onLog = (line: string) => {
      if (line.includes("not provisioned")) started();
    };
    bench = await Bench.open({ ...BENCH_DEFAULTS, state, onLog });
    door = await UsbDoor.onTcp(bench, 0);
    stop = runAtPace(bench.time);
    await programStarted;
  });
  afterEach(async () => {
    const stopped = stop();
    cable?.socket.destroy();
    cable = undefined;
    await stopped;
    await door.close();
    bench.badge.powerOff();
  });

  const restartProgram = async () => {
    const manager = await bench.client.find(JD_CLASS_DEVICESCRIPT_MANAGER, FIND_MS);
    await setProgramRunning(bench.client, manager, false);
    await setProgramRunning(bench.client, manager, true);
  };

  it("a technician's client finds the badge by its id, writes a setting and reads it back", async () => {
    const badgePort = await BadgePort.open(door.port);
    const { client } = badgePort;
    try {
      const service = await client.find(JD_CLASS_SETTINGS, FIND_MS);
      assert.equal(service.deviceId, DEVICE_ID);
      await setProgramRunning(client, await client.find(JD_CLASS_DEVICESCRIPT_MANAGER, FIND_MS), false);
      const settings = new BadgeSettings(client, service);
      assert.equal(await settings.read("label"), undefined);
      const value = Buffer.from([0xfe, 0, 1, 0xfc, 0xfd, 0xf8, 10, 13]); // every byte that the framing escapes
      await settings.write("label", value);
      assert.deepEqual(await settings.read("label"), value);
      await settings.delete("label");
      assert.equal(await settings.read("label"), undefined);
    } finally {
      await badgePort.close();
    }
  });

  it("log text comes at once, frames only after the host has asked for them", async () => {
    const plugged = await Cable.plugIn(door);
    cable = plugged;
    const sent: string[] = [];
    bench.listen((frame) => sent.push(frame.toString("hex")));
    await restartProgram();
    await plugged.until(() => plugged.lines.some((line) => line.includes("not provisioned")));
    assert.ok(sent.length > 0, "the badge said nothing on its bus");
    assert.equal(plugged.frames.length, 0);
    const unheard = sent.length;
    plugged.socket.write(encodeUsb(enablePacketsFrame()));
    await plugged.until(() => plugged.frames.length >= 2);
    const heard = plugged.frames.map((frame) => frame.toString("hex"));
    const first = sent.indexOf(heard[0]);
    assert.ok(first >= unheard);
    assert.deepEqual(heard, sent.slice(first, first + heard.length));
    assert.ok(plugged.frames.every((frame) => decodeFrame(frame) !== undefined));
  });

  it("each cable has to ask for itself, and one that is pulled out disturbs no other", async () => {
    const first = await Cable.plugIn(door);
    const second = await Cable.plugIn(door);
    cable = second;
    first.socket.write(encodeUsb(enablePacketsFrame()));
    await first.until(() => first.frames.length > 0);
    assert.deepEqual(second.frames, []);
    first.socket.destroy();
    await restartProgram();
    await second.until(() => second.lines.some((line) => line.includes("not provisioned")));
    assert.deepEqual(second.frames, []);
  });

  it("damaged frames and text from the host do not reach the badge", async () => {
    const plugged = await Cable.plugIn(door);
    cable = plugged;
    const damaged = enablePacketsFrame();
    damaged[12] ^= 1;
    plugged.socket.write(
      Buffer.concat([encodeUsb(damaged), Buffer.from("help\r\n"), Buffer.alloc(300, 0xfe)]),
    );
    plugged.socket.write(encodeUsb(enablePacketsFrame()));
    await plugged.until(() => plugged.frames.length > 0);
    assert.equal(bench.badge.droppedFrames, 0);
    assert.equal(bench.badge.panicCode, 0);
  });

  it("a port that is taken is refused", async () => {
    await assert.rejects(UsbDoor.onTcp(bench, Number(door.port.split(":").at(-1))), /EADDRINUSE/);
  });
});
